"""Faults of how much is asked of a service."""
