"""One schema for SQLite and PostgreSQL. Identifiers that need only be compared are kept as keyed hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Dialect, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator


class Utc(TypeDecorator[datetime]):
    """An aware UTC time on either database; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # keyed hash: a redelivery is known after everything else is erased
    Column("person", Text, nullable=False),  # keyed hash, for the order of one person's messages
    Column("channel", Text, nullable=False),
    Column("raw", JSON(none_as_null=True)),  # erased as soon as the row is done
    Column("raw_key", Text),
    Column("raw_person", Text),
    Column("state", Text, nullable=False),  # waiting, taken, done, aside
    Column("attempts", Integer, nullable=False),  # counts takings; also tells a lease from a later one
    Column("received_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("lease_until", Utc),
    Column("end", Text),  # answered, escalated, ignored
    Column("reason", Text),
    Column("message", Text),  # keyed hash of the message's id
    Column("decision", Text),
    Column("error", Text),
    Column("done_at", Utc),
    Index("inbox_waiting", "state", "id"),
    Index("inbox_person", "person", "id"),
    Index("inbox_message", "message"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # keyed hash
    Column("to", Text),
    Column("to_hash", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outgoing", JSON(none_as_null=True)),
    Column("private", Boolean, nullable=False),
    Column("erase", Boolean, nullable=False),  # erased as soon as it was sent
    Column("about", BigInteger),
    Column("cancels_with", BigInteger),
    Column("state", Text, nullable=False),  # waiting, claimed, sending, sent, failed, dropped
    Column("attempts", Integer, nullable=False),
    Column("unsure", Integer, nullable=False),  # how often it was on the wire without an answer
    Column("created_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("lease_until", Utc),
    Column("native_id", Text),
    Column("error", Text),
    Column("sent_at", Utc),
    Index("outbox_due", "state", "due_at"),
    Index("outbox_to", "to_hash", "state"),
    Index("outbox_native", "to_hash", "native_id"),
    Index("outbox_about", "about"),
    Index("outbox_native_id", "native_id"),
)

dialogues = Table(
    "dialogue",
    metadata,
    Column("person", Text, primary_key=True),
    Column("dialogue", JSON, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

alias = Table(
    "alias",
    metadata,
    Column("address", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("linked_at", Utc, nullable=False),
    Index("alias_person", "person"),
)

traces = Table(
    "trace",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),  # keyed hash
    Column("at", Utc, nullable=False),
    Index("trace_name", "name", "at"),
    Index("trace_at", "at"),
)

escalations = Table(
    "escalation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("learner", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("erase", Boolean, nullable=False),  # its learner was forgotten: erased once it is answered or closed
    Column("version", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("escalation", JSON, nullable=False),
    Index("escalation_learner", "learner", "status"),
)
