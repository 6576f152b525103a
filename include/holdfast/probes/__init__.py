"""Probes: one file each, exporting PROBE."""
