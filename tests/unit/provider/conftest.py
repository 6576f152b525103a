"""Airflow in a home of its own, set up before anything here imports it."""

from support.airflow import own_home

own_home()
