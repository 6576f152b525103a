"""Bundles of evidence for people outside: made, opened, checked. Files are their only outside."""
