"""Consistency checkers: one file each, exporting CHECKER; pure."""
