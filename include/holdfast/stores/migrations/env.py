"""Run the migrations in the transaction of the caller; Alembic executes this file."""

from alembic import context

from holdfast.stores._tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
