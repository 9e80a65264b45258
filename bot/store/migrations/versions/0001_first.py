"""The first schema: meta, inbox, outbox, dialogue, escalation.

Written out, not taken from bot.store.schema: a migration says what the schema was, not what it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table("meta", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    op.create_table(
        "inbox",
        sa.Column("id", _id, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("raw", sa.JSON),
        sa.Column("raw_key", sa.Text),
        sa.Column("raw_person", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", _time, nullable=False),
        sa.Column("due_at", _time, nullable=False),
        sa.Column("lease_until", _time),
        sa.Column("end", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("decision", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("done_at", _time),
    )
    op.create_index("inbox_waiting", "inbox", ["state", "id"])
    op.create_index("inbox_person", "inbox", ["person", "id"])
    op.create_index("inbox_message", "inbox", ["message"])
    op.create_table(
        "outbox",
        sa.Column("id", _id, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("to", sa.Text),
        sa.Column("to_hash", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("outgoing", sa.JSON),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("erase", sa.Boolean, nullable=False),
        sa.Column("about", sa.BigInteger),
        sa.Column("cancels_with", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("unsure", sa.Integer, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("due_at", _time, nullable=False),
        sa.Column("lease_until", _time),
        sa.Column("native_id", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("sent_at", _time),
    )
    op.create_index("outbox_due", "outbox", ["state", "due_at"])
    op.create_index("outbox_to", "outbox", ["to_hash", "state"])
    op.create_index("outbox_native", "outbox", ["to_hash", "native_id"])
    op.create_index("outbox_about", "outbox", ["about"])
    op.create_table(
        "dialogue",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("dialogue", sa.JSON, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("learner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("erase", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("opened_at", _time, nullable=False),
        sa.Column("ended_at", _time),
        sa.Column("escalation", sa.JSON, nullable=False),
    )
    op.create_index("escalation_learner", "escalation", ["learner", "status"])
