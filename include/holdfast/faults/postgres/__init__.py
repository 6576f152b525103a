"""Faults of PostgreSQL clusters."""
