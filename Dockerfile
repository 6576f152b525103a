# One image for every Airflow service of docker-compose.yaml.
FROM apache/airflow:3.3.2-python3.11
USER root
RUN install -d -m 0770 -o airflow -g 0 /opt/holdfast /var/lib/holdfast
USER airflow
WORKDIR /opt/holdfast
COPY --chown=airflow:0 requirements.txt pyproject.toml README.md ./
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown=airflow:0 include/ include/
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
COPY --chown=airflow:0 dags/ dags/
COPY --chown=airflow:0 plugins/ plugins/
COPY --chown=airflow:0 experiments/ experiments/
