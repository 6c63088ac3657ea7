"""Channels that are managed from a private chat."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table, and what a private chat manages."""
    op.create_table(
        "managers",
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "channel_id",
            sa.BigInteger,
            sa.ForeignKey("chats.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_index("ix_managers_channel_id", "managers", ["channel_id"])
    op.add_column("chats", sa.Column("manages", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("chats", sa.Column("manages_until", sa.BigInteger, nullable=False, server_default="0"))
