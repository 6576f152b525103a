"""Formats of history files: one file each, exporting READER."""
