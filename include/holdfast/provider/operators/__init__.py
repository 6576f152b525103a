"""Operators: each parses, calls one step and returns an id or a digest."""
