"""What results show of controls, service by service: found without reading every record.

It follows from the records, and can be made anew from them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "shown",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String, nullable=False, index=True),
        sa.Column("suite", sa.String, nullable=False, index=True),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("control", sa.String, nullable=False),
        sa.Column("verdict", sa.Integer, nullable=False),
        sa.Column("at", sa.String, nullable=False),
    )
    op.create_index("shown_of_control", "shown", ["control", "service", "at", "number"])
    op.create_table("shown_until", sa.Column("size", sa.Integer, nullable=False))


def downgrade() -> None:
    op.drop_table("shown_until")
    op.drop_table("shown")
