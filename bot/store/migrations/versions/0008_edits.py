"""Revisions of articles, which the cards that were sent follow."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "revisions",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_revisions_article_id", ondelete="CASCADE"),
    )
    op.create_index("ix_revisions_article_id", "revisions", ["article_id", "id"])
