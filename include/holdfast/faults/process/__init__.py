"""Faults of host processes."""
