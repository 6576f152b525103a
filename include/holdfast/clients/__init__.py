"""Thin talkers to outside systems; no policy."""
