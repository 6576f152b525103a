"""Alembic's home: how books.db came to have the shape it has."""
