"""Adapters of the ports: SQLite and files."""
