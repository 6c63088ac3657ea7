"""A fan-out for the readers of those tags alone that an article gained after it went out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("fanouts", sa.Column("gained", sa.Text, nullable=False, server_default=""))
