"""Triggers: thin, and safe when they die anywhere or live twice."""
