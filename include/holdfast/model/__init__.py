"""Frozen values. Import them from their modules: the keeper must not pay for pydantic."""
