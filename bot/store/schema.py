"""The tables. Times are milliseconds since the epoch, UTC; chat ids are 64-bit; a thread of 0 is no topic."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: Named constraints can be migrated; SQLite names none by itself.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite gives rowids to INTEGER keys only.
Id = BigInteger().with_variant(Integer, "sqlite")


def _id(name: str = "id") -> Column[int]:
    return Column(name, Id, primary_key=True, autoincrement=True)


def _long(name: str, *, default: int | None = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=None if default is None else str(default))


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _flag(name: str, *, default: bool) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


feeds = Table(
    "feeds",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("url"),
    _text("title"),
    _flag("active", default=True),
    _flag("primed", default=False),
    _flag("gone", default=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", Text),
    _long("failures"),
    Column("last_error", Text),
    _long("next_poll_at"),
    _long("wait_until"),
    _long("polled_at"),
    _long("newest_at"),
    _long("asked_s"),
    _long("skip_hours"),
    _long("skip_days"),
    _text("address"),
    _text("moved_to"),
    _long("moved_seen"),
    Column("failed_share", Float, nullable=False, server_default="0"),
    _text("merged_into"),
    _flag("paused", default=False),
    _long("tally_day"),
    _long("tally_polls"),
    _long("tally_failed"),
    _long("tally_polls_before"),
    _long("tally_failed_before"),
)

#: Feeds added by chat, beside those of the file. One that is not live is shown to an admin, and awaits a yes.
added_feeds = Table(
    "added_feeds",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    _text("title"),
    _text("language"),
    _text("tags"),
    _flag("live", default=False),
    Column("admin_id", BigInteger, nullable=False),
    _long("added_at", default=None),
    Index("ix_added_feeds_name", "name", unique=True, sqlite_where=text("live"), postgresql_where=text("live")),
    Index("ix_added_feeds_url", "url", unique=True, sqlite_where=text("live"), postgresql_where=text("live")),
    sqlite_autoincrement=True,  # a number stands on a button: none is given twice
)

articles = Table(
    "articles",
    metadata,
    _id(),
    Column("canonical", Text, nullable=False, unique=True),
    _text("link"),
    _text("title"),
    _text("summary"),
    _text("source"),
    _text("language"),
    _text("section"),
    _long("published_at", default=None),
    _long("seen_at", default=None),
    Column("minutes", Integer),
    _text("author"),
    _text("image"),
    _flag("page_read", default=False),
    Index("ix_articles_published_at", "published_at"),
    Index("ix_articles_seen_at", "seen_at"),
)

#: Articles that went out before their page could be read; what it says comes after, to whom it concerns.
late_pages = Table(
    "late_pages",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    _text("feed"),
    _long("due_at", default=None),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("ix_late_pages_due_at", "due_at"),
)

#: What an article's own page names under MORE ABOUT.
related_links = Table(
    "related_links",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    _text("title"),
    _text("link"),
)

#: Changes of a headline or a summary after the article was stored.
revisions = Table(
    "revisions",
    metadata,
    _id(),
    Column("article_id", Id, ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    _long("created_at", default=None),
    Index("ix_revisions_article_id", "article_id", "id"),
)

#: What each feed has shown, kept longer than its window: an entry that leaves and returns is not news (feeds.md 3.3).
entries = Table(
    "entries",
    metadata,
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    _text("content_hash"),
    Column("article_id", Id, ForeignKey("articles.id", ondelete="SET NULL"), index=True),
    _long("seen_at", default=None),
)

#: Tags, and the sources that can be followed whole (`@name`).
tags = Table("tags", metadata, _id(), Column("slug", Text, nullable=False, unique=True))

article_tags = Table(
    "article_tags",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    _text("source"),
    Index("ix_article_tags_tag_id", "tag_id", "article_id"),
)

chats = Table(
    "chats",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("title"),
    _text("language"),
    _text("time_zone"),
    _flag("active", default=True),
    _text("retired_reason"),
    _text("pending"),
    _long("pending_at"),
    _long("created_at", default=None),
    _long("held_until"),
    Column("quiet_from", SmallInteger),
    Column("quiet_to", SmallInteger),
    _text("digests"),
    _flag("digest_all", default=False),
    _long("paused_until"),
    Column("hot", Text, nullable=False, server_default="day"),
    Column("loud_cap", SmallInteger, nullable=False, server_default="8"),
    Column("loud_day", Integer, nullable=False, server_default="0"),
    Column("loud_count", Integer, nullable=False, server_default="0"),
    _flag("quiet_offered", default=False),
    _text("spates"),
    _long("manages"),
    _long("manages_until"),
    _flag("previews", default=False),
    _long("retired_at"),
    Index("ix_chats_active", "id", "active"),
)

#: Topics that Telegram refuses; they are not tried before `until`. A row stays: its chat was told, once.
closed_topics = Table(
    "closed_topics",
    metadata,
    Column("chat_id", BigInteger, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("thread_id", BigInteger, primary_key=True, autoincrement=False),
    _long("until"),
)

#: `plain` rules want one tag and exclude none: the fan-out need not look at their terms.
rules = Table(
    "rules",
    metadata,
    _id(),
    Column("chat_id", BigInteger, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    _long("thread_id"),
    Column("key", Text, nullable=False),
    Column("anchor_id", Id, ForeignKey("tags.id"), nullable=False),
    _flag("plain", default=True),
    _long("muted_until"),
    _long("created_at", default=None),
    Column("volume", Text, nullable=False, server_default="loud"),
    UniqueConstraint("chat_id", "thread_id", "key"),
    Index("ix_rules_anchor_id", "anchor_id", "chat_id", "thread_id", "plain", "muted_until"),
)

rule_terms = Table(
    "rule_terms",
    metadata,
    Column("rule_id", Id, ForeignKey("rules.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id"), primary_key=True),
    _flag("wanted", default=True),
    Column("position", SmallInteger, nullable=False, server_default="0"),
)

#: What a chat never gets, whatever it follows.
exclusions = Table(
    "exclusions",
    metadata,
    Column("chat_id", BigInteger, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id"), primary_key=True, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    _long("thread_id"),
    Column("lane", SmallInteger, nullable=False),
    _long("not_before"),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    _long("lease_until"),
    Column("message_id", BigInteger),
    _text("reason"),
    _long("queued_at", default=None),
    Column("settled_at", BigInteger),
    _long("due_at"),
    UniqueConstraint("kind", "subject", "chat_id", "thread_id"),
    Index(
        "ix_outbox_due",
        "lane",
        "not_before",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_outbox_leases",
        "lease_until",
        sqlite_where=text("state = 'claimed'"),
        postgresql_where=text("state = 'claimed'"),
    ),
    # Each row is in one of these two, and history in neither of those that a fan-out adds to.
    Index(
        "ix_outbox_chat_id",
        "chat_id",
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index(
        "ix_outbox_settled_at",
        "settled_at",
        sqlite_where=text("settled_at IS NOT NULL"),
        postgresql_where=text("settled_at IS NOT NULL"),
    ),
    Index(
        "ix_outbox_parked",
        "settled_at",
        sqlite_where=text("state = 'parked'"),
        postgresql_where=text("state = 'parked'"),
    ),
)

#: Articles whose alerts are not all queued: chats from `before_chat` up have theirs. `gained` are the ids of the tags
#: whose readers they are for, parted by spaces; "": of all its tags.
fanouts = Table(
    "fanouts",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    _long("queued_at", default=None),
    _long("before_chat", default=None),
    _text("gained"),
)

#: `texts` is JSON, HTML by language, and `audience` JSON of `core.broadcast.Audience`: no statement looks into them.
#: `content_hash` is of both and the picture. `open`: a worker still has something to do for it.
broadcasts = Table(
    "broadcasts",
    metadata,
    _id(),
    Column("author_id", BigInteger, nullable=False),
    _text("texts"),
    _text("photo"),
    _text("audience"),
    _text("content_hash"),
    _text("corrected"),
    _text("replaces"),
    _long("corrects"),
    Column("state", Text, nullable=False, server_default="draft"),
    _flag("open", default=False),
    _long("created_at", default=None),
    _long("starts_at"),
    _long("started_at"),
    _long("ended_at"),
    _long("corrected_at"),
    _long("recalled_at"),
    _long("total"),
    _long("told_chat"),
    _long("told_message"),
    _long("confirmed_by"),
    Index("ix_broadcasts_open", "id", sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_broadcasts_starts_at", "starts_at"),
)

#: Corrections and recalls of what was sent; rows of the outbox are about these.
broadcast_changes = Table(
    "broadcast_changes",
    metadata,
    _id(),
    Column("broadcast_id", Id, ForeignKey("broadcasts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    _long("created_at", default=None),
    Index("ix_broadcast_changes_broadcast_id", "broadcast_id", "id"),
)

hooks = Table(
    "hooks",
    metadata,
    Column("feed", Text, primary_key=True),
    _text("hub"),
    _text("topic"),
    Column("token", Text, nullable=False, unique=True),
    _text("secret"),
    _long("asked_at"),
    _long("leased_until"),
)

#: What a search or a question found, by number, for the buttons that page it. The search index itself, which is made
#: differently on each engine, stands in migration 0007 and store/search.py.
kept_lists = Table(
    "kept_lists",
    metadata,
    _id(),
    Column("chat_id", BigInteger, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False, index=True),
    _text("words"),
    _text("found"),
    _long("created_at", default=None),
    Index("ix_kept_lists_created_at", "created_at"),
)

notices = Table(
    "notices",
    metadata,
    _id(),
    Column("code", Text, nullable=False),
    _text("feed"),
    _text("detail"),
    _long("created_at", default=None),
    _long("alarm_id"),
    _long("fixed_at"),
    Index("ix_notices_alarm_id", "alarm_id"),
)

#: What admins are alerted to, by kind and what it is of: told when, open or over, muted until when.
alarms = Table(
    "alarms",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    _text("subject"),
    _flag("open", default=False),
    _long("told_at"),
    _long("muted_until"),
    UniqueConstraint("kind", "subject"),
    sqlite_autoincrement=True,  # as above
)

#: One row a day of what leaves no other trace, counted last on that day (the newsroom's, as a proleptic ordinal).
days = Table(
    "days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    _long("readers"),
    _long("follows"),
    _long("feeds"),
    _long("articles"),
)

#: When the next call of all senders may leave, in microseconds of the server's clock (`store.rate`).
rates = Table("rates", metadata, Column("name", Text, primary_key=True), _long("free_at"))

#: Who may choose the news of which channel, as far as they have shown an interest; Telegram is asked each time.
managers = Table(
    "managers",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Index("ix_managers_channel_id", "channel_id"),
)

#: The newsroom's people, beside the admins that the configuration names.
staff = Table(
    "staff",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    _text("name"),
    _long("added_at", default=None),
)

#: Links that make who opens them one of the newsroom, once. Of the token only its hash is kept.
invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("admin_id", BigInteger, nullable=False),
    _long("made_at", default=None),
    _long("expires_at", default=None),
)

#: Who acts, or is acted upon, by the number that the audit knows them by: who is forgotten leaves the chain whole.
actors = Table("actors", metadata, _id("number"), Column("user_id", BigInteger, nullable=False, unique=True))

#: `hash` is that of the row before with this one (core/chain.py); `actor` and `about` are numbers of `actors`, or 0.
audit = Table(
    "audit",
    metadata,
    _id(),
    _long("at", default=None),
    _long("actor"),
    Column("action", Text, nullable=False),
    _text("detail"),
    _long("about"),
    _text("hash"),
)
