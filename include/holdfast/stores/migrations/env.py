"""Run the migrations on the database that the caller names; Alembic executes this file."""

from alembic import context
from sqlalchemy import NullPool, create_engine

from holdfast.stores._tables import METADATA

_engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with _engine.connect() as _connection:
    context.configure(connection=_connection, target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()
