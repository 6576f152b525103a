"""Faults of logins, certificates and access to data."""
