"""Runs, their entries and the evidence log; entries and records can only be added."""

import sqlalchemy as sa
from alembic import op

from holdfast.stores.migrations import append_only, forget

revision = "0001"
down_revision = None

_APPEND_ONLY = ("entry", "record")


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, unique=True, nullable=False),
        sa.Column("suite", sa.String, nullable=False),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("triggered_by", sa.String, nullable=False),
        sa.Column("plan_digest", sa.String, nullable=False),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("start_boottime", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("verdict", sa.String, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ended_at", sa.String, nullable=False),
    )
    op.create_table(
        "entry",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("experiment", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("predicate_type", sa.String, nullable=False),
        sa.Column("recorded_at", sa.String, nullable=False),
        sa.Column("previous", sa.String, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    for table in _APPEND_ONLY:
        append_only(table)


def downgrade() -> None:
    for table in ("record", "entry", "run"):
        op.drop_table(table)
    forget()
