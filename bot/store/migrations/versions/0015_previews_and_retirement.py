"""Whether cards come with a preview of the article, and since when a chat gets nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns. Of chats that were retired before, the days are counted from now on."""
    op.add_column("chats", sa.Column("previews", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("chats", sa.Column("retired_at", sa.BigInteger, nullable=False, server_default="0"))
