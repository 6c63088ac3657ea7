"""The newsroom runs the service: invitations, a chained audit, feeds added by chat, counts by day, alarms."""

import json
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def _long(name: str, default: str | None = "0") -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _id(name: str = "id") -> sa.Column[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, primary_key=True, autoincrement=True)


def upgrade() -> None:
    """Add tables and columns, and chain what the audit holds."""
    op.create_table(
        "invitations",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("admin_id", sa.BigInteger, nullable=False),
        _long("made_at", None),
        _long("expires_at", None),
    )
    _chain()
    _feeds()
    op.create_table(
        "days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        _long("readers"),
        _long("follows"),
        _long("feeds"),
        _long("articles"),
    )
    _alarms()


def _chain() -> None:
    op.create_table("actors", _id("number"), sa.Column("user_id", sa.BigInteger, nullable=False, unique=True))
    op.add_column("audit", _long("actor"))
    op.add_column("audit", _long("about"))
    op.add_column("audit", _text("hash"))
    connection, last = op.get_bind(), ""
    numbers: dict[int, int] = {}
    rows = connection.execute(sa.text("SELECT id, at, actor_id, action, detail FROM audit ORDER BY id")).all()
    for row in rows:
        number = numbers.setdefault(row.actor_id, len(numbers) + 1) if row.actor_id else 0
        act = {"about": 0, "action": row.action, "actor": number, "at": row.at, "detail": row.detail}
        last = sha256((last + json.dumps(act, sort_keys=True, separators=(",", ":"))).encode()).hexdigest()
        values = {"of": row.id, "actor": number, "hash": last}
        connection.execute(sa.text("UPDATE audit SET actor = :actor, hash = :hash WHERE id = :of"), values)
    for user_id in numbers:  # in their order, so that the sequence gives them their numbers
        connection.execute(sa.text("INSERT INTO actors (user_id) VALUES (:id)"), {"id": user_id})
    op.drop_column("audit", "actor_id")


def _feeds() -> None:
    op.add_column("feeds", sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")))
    for name in ("day", "polls", "failed", "polls_before", "failed_before"):
        op.add_column("feeds", _long(f"tally_{name}"))
    op.create_table(
        "added_feeds",
        _id(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        _text("title"),
        _text("language"),
        _text("tags"),
        sa.Column("live", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("admin_id", sa.BigInteger, nullable=False),
        _long("added_at", None),
        sqlite_autoincrement=True,
    )
    for column in ("name", "url"):
        op.create_index(
            f"ix_added_feeds_{column}",
            "added_feeds",
            [column],
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )


def _alarms() -> None:
    op.create_table(
        "alarms",
        _id(),
        sa.Column("kind", sa.Text, nullable=False),
        _text("subject"),
        sa.Column("open", sa.Boolean, nullable=False, server_default=sa.text("false")),
        _long("told_at"),
        _long("muted_until"),
        sa.UniqueConstraint("kind", "subject", name="uq_alarms_kind"),
        sqlite_autoincrement=True,
    )
    op.add_column("notices", _long("alarm_id"))
    op.add_column("notices", _long("fixed_at"))
    op.create_index("ix_notices_alarm_id", "notices", ["alarm_id"])
    # What the admins were told of stays told.
    op.execute(
        sa.text(
            "INSERT INTO alarms (kind, subject, open, told_at) SELECT noticed, name, true, polled_at FROM feeds "
            "WHERE noticed IN ('failing', 'gone', 'frozen')"
        )
    )
    op.drop_column("feeds", "noticed")
