"""Fan-outs in pages, and indexes that make a page quick: a range of the chats of a tag, and no history in the way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table, and make the indexes anew."""
    op.create_table(
        "fanouts",
        sa.Column("article_id", ID, primary_key=True),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("before_chat", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_fanouts_article_id", ondelete="CASCADE"),
    )
    op.create_index("ix_chats_active", "chats", ["id", "active"])
    op.drop_index("ix_rules_anchor_id", "rules")
    op.create_index("ix_rules_anchor_id", "rules", ["anchor_id", "chat_id", "thread_id", "plain", "muted_until"])
    for column, condition in (("chat_id", "settled_at IS NULL"), ("settled_at", "settled_at IS NOT NULL")):
        op.drop_index(f"ix_outbox_{column}", "outbox")
        where = sa.text(condition)
        op.create_index(f"ix_outbox_{column}", "outbox", [column], sqlite_where=where, postgresql_where=where)
