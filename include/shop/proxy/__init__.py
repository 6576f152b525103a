"""The TCP proxy between the API and the database: where network faults happen."""
