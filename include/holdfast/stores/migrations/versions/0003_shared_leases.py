"""Leases beside the books, where both are on a server; with files they have one of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_TEXT = ("run_id", "experiment", "environment", "fault_type", "service", "host", "boot_id")
_TIMES = ("widest_gap", "injected_at", "reverted_at", "clean_at")


def _is_server() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def upgrade() -> None:
    if not _is_server():
        return
    op.create_table(
        "environments",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("hold", sa.Text, nullable=False, server_default=""),
        sa.Column("locked_by", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "leases",
        sa.Column("rowid", sa.BigInteger, sa.Identity(), unique=True),
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXT),
        *(sa.Column(name, sa.BigInteger, nullable=False)
          for name in ("round", "epoch", "counter", "beat")),
        *(sa.Column(f"{name}_seconds", sa.Double, nullable=False)
          for name in ("lease", "duration", "delay")),
        *(sa.Column(name, sa.Text, nullable=False)
          for name in ("opened_at", "state", "breach_since", "detail")),
        sa.Column("revoked", sa.Text), sa.Column("ended", sa.Text),
        *(sa.Column(name, sa.Double) for name in _TIMES),
    )
    op.create_index("leases_of_run", "leases", ["run_id", "round"])
    op.create_index("leases_not_clean", "leases", ["environment"],
                    postgresql_where=sa.text("state <> 'clean'"))


def downgrade() -> None:
    if _is_server():
        op.drop_table("leases")
        op.drop_table("environments")
