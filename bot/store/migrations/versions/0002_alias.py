"""Addresses that a person has shown to be theirs; texts found again by their native id alone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "alias",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("alias_person", "alias", ["person"])
    op.create_index("outbox_native_id", "outbox", ["native_id"])
