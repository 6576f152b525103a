"""The ledger: postings between two accounts, in millionths; they can only be added."""

import sqlalchemy as sa
from alembic import op

from holdfast.stores.migrations import append_only

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "posting",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("day", sa.String, nullable=False, index=True),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("experiment", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("amount", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.CheckConstraint("amount > 0"), nullable=False),
        sa.Column("at", sa.String, nullable=False),
    )
    append_only("posting")


def downgrade() -> None:
    op.drop_table("posting")
