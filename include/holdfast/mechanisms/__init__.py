"""Judges of mechanisms, one file each, exporting `MECHANISM`. Pure."""
