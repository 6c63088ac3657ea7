"""Whether a chat was offered quiet hours."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column."""
    op.add_column("chats", sa.Column("quiet_offered", sa.Boolean, nullable=False, server_default=sa.text("false")))
