"""What an article's page tells beside its tags, pages that are read late, and what a chat never gets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _of_article() -> sa.Column[int]:
    return sa.Column("article_id", ID, sa.ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Add the columns and the tables."""
    for name in ("author", "image"):
        op.add_column("articles", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("articles", sa.Column("page_read", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.create_table(
        "late_pages",
        _of_article(),
        sa.Column("feed", sa.Text, nullable=False, server_default=""),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("ix_late_pages_due_at", "late_pages", ["due_at"])
    op.create_table(
        "related_links",
        _of_article(),
        sa.Column("position", sa.SmallInteger, primary_key=True),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("link", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "exclusions",
        sa.Column("chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag_id", ID, sa.ForeignKey("tags.id"), primary_key=True),
    )
    op.create_index("ix_exclusions_tag_id", "exclusions", ["tag_id"])
