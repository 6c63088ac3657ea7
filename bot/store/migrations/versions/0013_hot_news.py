"""Hot news in two languages, with a picture, for an audience, at a time; corrections and recalls."""

import json
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIMES = (
    "starts_at",
    "started_at",
    "ended_at",
    "corrected_at",
    "recalled_at",
    "total",
    "told_chat",
    "told_message",
    "confirmed_by",
)


def upgrade() -> None:
    """Add the columns and the table; what was sent before is done, unless rows of it still wait."""
    for name in ("texts", "photo", "audience", "content_hash", "corrected", "replaces"):
        op.add_column("broadcasts", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("broadcasts", sa.Column("open", sa.Boolean, nullable=False, server_default=sa.text("false")))
    for name in TIMES:
        op.add_column("broadcasts", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("broadcasts", sa.Column("corrects", sa.BigInteger, nullable=False, server_default="0"))
    _carry_over(op.get_bind())
    op.drop_column("broadcasts", "html")
    op.create_index(
        "ix_broadcasts_open", "broadcasts", ["id"], sqlite_where=sa.text("open"), postgresql_where=sa.text("open")
    )
    op.create_index("ix_broadcasts_starts_at", "broadcasts", ["starts_at"])
    op.create_table(
        "broadcast_changes",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("broadcast_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcasts.id"], name="fk_broadcast_changes_broadcast_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_broadcast_changes_broadcast_id", "broadcast_changes", ["broadcast_id", "id"])


def _carry_over(connection: sa.Connection) -> None:
    audience = {"rules": [], "language": "", "kind": ""}
    for number, html in connection.execute(sa.text("SELECT id, html FROM broadcasts")).all():
        whole = json.dumps([[["en", html]], "", audience], ensure_ascii=False)
        values = {
            "of": number,
            "texts": json.dumps({"en": html}, ensure_ascii=False),
            "audience": json.dumps(audience),
            "hash": sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        }
        connection.execute(
            sa.text("UPDATE broadcasts SET texts = :texts, audience = :audience, content_hash = :hash WHERE id = :of"),
            values,
        )
    waiting = "SELECT 1 FROM outbox WHERE kind = 'broadcast' AND subject = broadcasts.id AND settled_at IS NULL"
    sent = "UPDATE broadcasts SET starts_at = created_at, started_at = created_at"
    connection.execute(
        sa.text(f"{sent}, ended_at = created_at, state = 'done' WHERE state = 'sending' AND NOT EXISTS ({waiting})")
    )
    connection.execute(sa.text(f"{sent}, open = true WHERE state = 'sending'"))
