"""What delivery remembers of a chat that lets us write nothing, and of a topic that is closed; parked rows at hand."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
    op.add_column("chats", sa.Column("held_until", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "closed_topics",
        sa.Column("chat_id", sa.BigInteger, autoincrement=False),
        sa.Column("thread_id", sa.BigInteger, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("chat_id", "thread_id", name="pk_closed_topics"),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_closed_topics_chat_id", ondelete="CASCADE"),
    )
    parked = sa.text("state = 'parked'")
    op.create_index("ix_outbox_parked", "outbox", ["settled_at"], sqlite_where=parked, postgresql_where=parked)
