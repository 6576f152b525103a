"""The evidence log's Merkle tree, as tiles, and its checkpoints, which can only be added."""

import sqlalchemy as sa
from alembic import op

from holdfast.stores.migrations import append_only

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("size", sa.Integer, nullable=False, index=True),
        sa.Column("is_cosigned", sa.Integer, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    append_only("checkpoint")


def downgrade() -> None:
    op.drop_table("checkpoint")
    op.drop_table("tile")
