"""Faults of what a service depends on."""
