"""The tables of books.db as the code sees them; migrations make them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
WHOLE = BigInteger().with_variant(Integer, "sqlite")
"""A number of millionths: 2,147 of a currency would fill PostgreSQL's integer."""

RUN = Table(
    "run", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", String, unique=True, nullable=False),
    Column("suite", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("triggered_by", String, nullable=False),
    Column("plan_digest", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("start_boottime", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("verdict", String, nullable=True),
    Column("reason", Text, nullable=False),
    Column("ended_at", String, nullable=False),
)

ENTRY = Table(
    "entry", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("run_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("experiment", String, nullable=False),
    Column("name", String, nullable=False),
    Column("at", String, nullable=False),
    Column("data", Text, nullable=False),
)

RECORD = Table(
    "record", METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("run_id", String, nullable=False, index=True),
    Column("predicate_type", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

POSTING = Table(
    "posting", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("day", String, nullable=False, index=True),
    Column("currency", String, nullable=False),
    Column("run_id", String, nullable=False, index=True),
    Column("experiment", String, nullable=False),
    Column("source", String, nullable=False),
    Column("target", String, nullable=False),
    Column("amount", WHOLE, nullable=False),
    Column("at", String, nullable=False),
)

TILE = Table(
    "tile", METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

CHECKPOINT = Table(
    "checkpoint", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("size", Integer, nullable=False, index=True),
    Column("is_cosigned", Integer, nullable=False),
    Column("at", String, nullable=False),
    Column("note", Text, nullable=False),
)

SHOWN = Table(
    "shown", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("run_id", String, nullable=False, index=True),
    Column("suite", String, nullable=False, index=True),
    Column("service", String, nullable=False),
    Column("control", String, nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("at", String, nullable=False),
    Index("shown_of_control", "control", "service", "at", "number"),
)
SHOWN_UNTIL = Table("shown_until", METADATA, Column("size", Integer, nullable=False))
