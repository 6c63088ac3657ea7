"""What a chat got of each tag lately."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column."""
    op.add_column("chats", sa.Column("spates", sa.Text, nullable=False, server_default=""))
