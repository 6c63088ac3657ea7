"""What several workers share: the rate of all, and on PostgreSQL a word to those who deliver."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

#: In the transaction that queues, whoever queues: it is heard when, and only if, the rows are there.
TELL = """
CREATE FUNCTION tagwire_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tagwire_outbox', '');
    RETURN NULL;
END $$
"""
TOLD = "CREATE TRIGGER outbox_told AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tagwire_tell()"


def upgrade() -> None:
    """Add the table and the trigger."""
    op.create_table(
        "rates",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("free_at", sa.BigInteger, nullable=False, server_default="0"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(TELL)
        op.execute(TOLD)
