"""The one plugin of the wheel, registered by entry point. Loaded everywhere: keep it light."""

from airflow.plugins_manager import AirflowPlugin


class HoldfastPlugin(AirflowPlugin):
    """Holdfast in Airflow's list of plugins; what it adds to the pages hangs here."""

    name = "holdfast"
