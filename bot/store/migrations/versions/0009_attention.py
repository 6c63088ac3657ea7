"""When a chat may be disturbed, how each rule's alerts come, and what was put off for it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns."""
    for column in (
        sa.Column("quiet_from", sa.SmallInteger),
        sa.Column("quiet_to", sa.SmallInteger),
        sa.Column("digests", sa.Text, nullable=False, server_default=""),
        sa.Column("digest_all", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("paused_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("hot", sa.Text, nullable=False, server_default="day"),
        sa.Column("loud_cap", sa.SmallInteger, nullable=False, server_default="8"),
        sa.Column("loud_day", sa.Integer, nullable=False, server_default="0"),
        sa.Column("loud_count", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("chats", column)
    op.add_column("rules", sa.Column("volume", sa.Text, nullable=False, server_default="loud"))
    op.add_column("outbox", sa.Column("due_at", sa.BigInteger, nullable=False, server_default="0"))
