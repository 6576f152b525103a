"""Fault drivers: one file a fault type, each exporting DRIVER."""
