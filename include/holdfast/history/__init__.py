"""Histories of operations: read, recorded, and kept as columns."""
