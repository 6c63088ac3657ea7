"""What polite polling remembers of a feed, and what admins are told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns and the table."""
    for name in ("asked_s", "skip_hours", "skip_days", "moved_seen"):
        op.add_column("feeds", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for name in ("address", "moved_to", "noticed", "merged_into"):
        op.add_column("feeds", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("feeds", sa.Column("failed_share", sa.Float, nullable=False, server_default="0"))
    op.create_table(
        "notices",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("feed", sa.Text, nullable=False, server_default=""),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hooks",
        sa.Column("feed", sa.Text, primary_key=True),
        sa.Column("hub", sa.Text, nullable=False, server_default=""),
        sa.Column("topic", sa.Text, nullable=False, server_default=""),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False, server_default=""),
        sa.Column("asked_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("leased_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.UniqueConstraint("token", name="uq_hooks_token"),
    )
