"""Full-text search, and lists that are kept for a while so that they can be paged.

Articles that are there already are indexed after the start, in small steps (pipeline/searching.py): a migration that
did it would hold the start up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the index, which forgets an article with the article itself, and the kept lists."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search_index USING fts5(headline, lead, tokenize = 'ascii', detail = column)")
        op.execute(
            "CREATE TRIGGER search_index_forgets AFTER DELETE ON articles "
            "BEGIN DELETE FROM search_index WHERE rowid = old.id; END"
        )
    else:
        op.execute(
            "CREATE TABLE search_index ("
            "article_id BIGINT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE, "
            "headline TSVECTOR NOT NULL, words TSVECTOR NOT NULL)"
        )
        # Without fastupdate: news is few, and a search must not read a list of what is still to be put in.
        op.execute(
            "CREATE INDEX search_index_words ON search_index USING gin (headline, words) WITH (fastupdate = off)"
        )
    op.create_table(
        "kept_lists",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        sa.Column("words", sa.Text, nullable=False, server_default=""),
        sa.Column("found", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_kept_lists_chat_id", "kept_lists", ["chat_id"])
    op.create_index("ix_kept_lists_created_at", "kept_lists", ["created_at"])
