"""Links from Airflow's navigation to the lab of this deployment: the storefront and Prometheus."""

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from holdfast.provider.links import lab_links


class HoldfastLabLinks(AirflowPlugin):
    """What `make up` started beside Airflow; nothing, where it started nothing."""

    name = "holdfast_lab_links"
    external_views: ClassVar = lab_links()
