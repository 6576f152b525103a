"""Canonical bytes, signing and verification; pure."""
