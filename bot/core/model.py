"""The nouns of the service: plain, frozen data that flows from a feed to a phone.

    Feed -> Fetched -> Entry -> Article (with its ArticleTags) -> Delivery -> Card -> Outcome -> Verdict

Every time is `Millis`: whole milliseconds since the epoch, UTC. Chat ids are 64-bit. A `thread_id` of 0 means
"no topic". Nothing here does anything; decisions live in the other modules of `core`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from bot.core.tags import source_term

if TYPE_CHECKING:
    from bot.core.bursts import Spate
    from bot.core.roles import Role
    from bot.core.search import Indexed

Millis = int

# --------------------------------------------------------------------------- feeds


class PageMode(StrEnum):
    """When an article's own page is read."""

    NEVER = "never"
    WHEN_UNTAGGED = "when-untagged"  #: only if the feed's categories gave no tag
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as the catalogue describes it. `name` is its identity everywhere."""

    name: str
    url: str
    title: str
    language: str = ""  #: BCP 47; a hint for matching
    tags: tuple[str, ...] = ()  #: put on every article of this feed
    sections: tuple[str, ...] = ()  #: categories that are sections of the paper, not tags; "*": all of them
    every: int = 300  #: the longest time between polls, seconds
    pages: PageMode = PageMode.NEVER
    tag_selector: str = ""  #: CSS, where the page's tags stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What the server gave for a conditional request, byte for byte (facts/feeds.md 1, rule 1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a feed's own document asks of pollers (feeds.md 1, rule 15)."""

    asked_s: int = 0  #: seconds between polls: `ttl`, `sy:updatePeriod`
    skip_hours: int = 0  #: bit n: not in hour n, UTC
    skip_days: int = 0  #: bit n: not on weekday n, Monday 0, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often a feed was asked on the day of its last poll and on the day before, UTC, and how often in vain."""

    day: int = 0  #: of the last poll, days since the epoch
    polls: int = 0
    failed: int = 0
    polls_before: int = 0
    failed_before: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """Where a feed says that it is pushed from (WebSub)."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A subscription at a hub."""

    feed: str
    hub: str
    topic: str
    token: str  #: the end of our callback address
    secret: str
    leased_until: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What we remember of a feed between polls."""

    primed: bool = False  #: its first poll has filled the archive
    gone: bool = False  #: it answered 410; it is not asked again until its address changes
    validators: Validators = Validators()
    body_hash: str | None = None  #: hex SHA-256 of the last parsed body
    failures: int = 0  #: failed polls in a row
    last_error: str | None = None
    next_poll_at: Millis = 0  #: the schedule; `tagwire poll` ignores it
    wait_until: Millis = 0  #: the site asked to wait (Retry-After); nobody ignores it
    polled_at: Millis = 0
    newest_at: Millis = 0  #: when something new was last seen there; its own dates may lie
    pace: Pace = Pace()
    address: str = ""  #: where it is asked when that is not the catalogue's address any more
    moved_to: str = ""  #: where permanent redirections lead at present
    moved_seen: int = 0  #: how many polls in a row they have led there
    failed_share: float = 0.0  #: of the polls of late, 0 to 1
    merged_into: str = ""  #: the feed of the catalogue that has the same address now
    paused: bool = False  #: an admin has it left alone
    tally: Tally = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A body to be parsed. `url` is the address that answered, after redirects."""

    url: str
    body: bytes
    content_type: str
    validators: Validators
    fresh_s: int = 0  #: seconds for which the site says that asking again is pointless
    moved_to: str = ""  #: the address that answered, if every redirection to it was permanent
    push: Push | None = None  #: as its headers say


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304; `validators` holds those it carried, absent ones None."""

    validators: Validators
    fresh_s: int = 0
    moved_to: str = ""


class Failure(StrEnum):
    """Why a feed or a page gave nothing."""

    ADDRESS = "address"  #: not http(s), or a private address while those are not allowed
    CONNECT = "connect"  #: DNS, refused, TLS
    TIMEOUT = "timeout"
    STATUS = "status"  #: an HTTP status that is neither 200, 304 nor 410
    GONE = "gone"  #: 410
    TOO_LARGE = "too-large"
    REDIRECTS = "redirects"
    BROKEN = "broken"  #: the connection or the encoding broke midway
    NOT_A_FEED = "not-a-feed"
    UNSAFE = "unsafe"  #: XML that declares entities
    RESTING = "resting"  #: not asked: its site has asked everybody to wait
    PARSER = "parser"  #: the parsing worker died or ran out of time


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """An expected failure, as a value: one bad feed never stops the rest."""

    failure: Failure
    detail: str  #: one line for people: what happened and where
    status: int | None = None
    retry_after: int | None = None  #: seconds the site asked to wait
    whole_site: bool = False  #: it asked so of everything on its host (429)
    feeds: tuple[str, ...] = ()  #: addresses of feeds that a web page offers instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed as its document says it; text fields are plain text, not HTML."""

    guid: str  #: "" when the document gives none
    link: str  #: absolute http(s) address, or "" when there is none that is safe
    title: str
    summary: str
    published_at: Millis | None
    categories: tuple[str, ...]
    words: int  #: number of words of the full text when the feed carries it, else 0
    text: str = ""  #: the beginning of that text, for the tags in it


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed's document, in its own order."""

    title: str
    language: str
    entries: tuple[Entry, ...]
    pace: Pace = Pace()
    push: Push | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Another article that a page offers."""

    title: str
    url: str  #: absolute http(s) address; "" in a copied text, which has none


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What an article's own page states; empty where it says nothing."""

    tags: tuple[str, ...] = ()  #: as written there, without `#`
    title: str = ""
    section: str = ""
    author: str = ""  #: one name or several, comma separated
    lead: str = ""
    image: str = ""  #: absolute http(s) address
    minutes: int | None = None  #: reading time, stated or computed from the body
    language: str = ""  #: BCP 47
    published_at: Millis | None = None  #: None when the page gives no zone
    related: tuple[Link, ...] = ()  #: its MORE ABOUT, in its order


# --------------------------------------------------------------------------- articles


class TagSource(StrEnum):
    """Where an article's tag came from, nearest to the newsroom first."""

    PAGE = "page"
    CATEGORY = "category"
    FEED = "feed"  #: the catalogue puts it on every article of the feed
    TEXT = "text"  #: a phrase of the thesaurus, or a hashtag, stands in the text
    FOLLOWED = "followed"  #: words that somebody follows stand in the text: nobody else is told of this tag
    CARRIER = "carrier"  #: no tag: the feed that carries the article, which can be followed whole


@dataclass(frozen=True, slots=True)
class ArticleTag:
    """One tag of an article; `slug` is the normal form (see core/tags.py)."""

    slug: str
    source: TagSource
    words: str = field(default="", compare=False)  #: as its source writes it

    @property
    def public(self) -> bool:
        """Whether people are told of it who do not follow it themselves: what others follow is their own affair."""
        return self.source is not TagSource.FOLLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One story of one newsroom, as stored and shown."""

    link: str  #: where the reader is sent
    title: str
    summary: str
    source: str  #: the feed's title, shown to people
    language: str
    section: str
    published_at: Millis
    seen_at: Millis
    minutes: int | None
    tags: tuple[ArticleTag, ...]
    carriers: tuple[str, ...] = ()  #: names of the feeds that carry it
    author: str = ""
    image: str = ""  #: absolute http(s) address
    id: int = 0  #: 0 until stored

    @property
    def terms(self) -> tuple[ArticleTag, ...]:
        """All that a rule can want or refuse of it: its tags and its sources."""
        return (*self.tags, *(ArticleTag(source_term(feed), TagSource.CARRIER) for feed in self.carriers))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChange:
    """An entry that is new to its feed, or whose visible text changed, with the article it becomes."""

    key: str  #: identity within the feed (core/identity.py)
    content_hash: str  #: hash of what readers see
    canonical: str  #: identity of the article over all feeds: its normalised link
    article: Article
    new: bool  #: False: an edit of an entry already known
    page: PageFacts | None = None  #: what its own page stated, if that was read
    page_due: bool = False  #: its page is still to be read: it may bring more tags
    indexed: Indexed | None = None  #: what search finds it by; None: it is indexed later


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePage:
    """An article whose page could not be read before it went out."""

    article: Article
    feed: str
    attempts: int  #: so many times it was tried


class NoticeCode(StrEnum):
    """What people are told that is no news."""

    FAILING = "failing"
    GONE = "gone"
    FROZEN = "frozen"
    MANY = "many"  #: very many feeds fail at once
    QUEUE = "queue"  #: alerts wait for long, while sending works
    TOKEN = "token"  #: Telegram refused it  # noqa: S105 - no password
    DISK = "disk"  #: nearly full
    MOVED = "moved"
    MERGED = "merged"
    TOPIC = "topic"  #: to a chat, not to our admins: a topic is closed or gone, its alerts come outside it
    QUIET = "quiet"  #: to a reader: an alert has come at night, do they want quiet hours?
    APPROVE = "approve"  #: to publishers: hot news waits for a second person; `detail` is its number
    APPROVED = "approved"  #: to its author: another sends their hot news; `detail` is its number, as below
    RETURNED = "returned"  #: to its author: it is a draft again
    CANCELLED = "cancelled"  #: to its author: it is thrown away
    LATE = "late"  #: to who confirmed it: nothing ran at its time, so it was not sent
    GLASS = "glass"  #: to all admins: hot news goes out without one; `detail` is who and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to the admins about the service, or about a chat's own topic to that chat."""

    code: NoticeCode
    feed: str = ""
    detail: str = ""
    id: int = 0  #: 0 until stored
    alarm_id: int = 0  #: the alarm that it is about; 0: none, it only tells
    fixed_at: Millis = 0  #: when that was over
    fixed: str = ""  #: the same as its reader's clock shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUpdate:
    """Everything one poll of one feed wants stored, in one transaction."""

    feed: str
    state: FeedState
    changes: tuple[EntryChange, ...] = ()
    seen_keys: tuple[str, ...] = ()  #: keys of all entries in the document, to keep tombstones fresh
    alert: bool = False  #: False on the first poll: fill the archive, alert nobody
    notice: Notice | None = None
    push: Push | None = None
    resting: tuple[str, ...] = ()  #: other feeds of the same site, which must wait as long as this one


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpdate:
    """What storing a `FeedUpdate` did."""

    new: int = 0
    changed: int = 0
    alerts: int = 0
    owed: tuple[int, ...] = ()  #: articles with so many readers that their alerts are still to be queued


# --------------------------------------------------------------------------- readers


class ChatKind(StrEnum):
    """Telegram's chat types."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Volume(StrEnum):
    """How the alerts of a rule come."""

    LOUD = "loud"
    SILENT = "silent"
    DIGEST = "digest"


class Hot(StrEnum):
    """How hot news comes; only LOUD pierces quiet hours."""

    OFF = "off"
    SILENT = "silent"
    DAY = "day"  #: loud, outside quiet hours
    LOUD = "loud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """When a chat may be disturbed. Times of day are minutes after midnight, in the chat's time zone."""

    quiet: tuple[int, int] | None = None  #: from, until; over midnight where until is less
    digests: tuple[int, ...] = ()
    digest_all: bool = False  #: everything comes in the digest, whatever the rules say
    paused_until: Millis = 0
    # Nobody is woken who has not asked for it, and an editor's news that comes a few times a month is heard by day
    # (reader-ux.md 5).
    hot: Hot = Hot.DAY
    loud_cap: int = 8  #: alerts with a sound in a day; the BBC sends 8.3 (reader-ux.md 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A place alerts go to."""

    id: int
    kind: ChatKind
    title: str = ""
    language: str = "en"
    time_zone: str = "Europe/Kyiv"  #: IANA name
    active: bool = True
    retired_reason: str = ""
    held_until: Millis = 0  #: Telegram lets us write nothing there; it is not tried before
    attention: Attention = Attention()
    loud_day: int = 0  #: the local day of its last loud alert, as a proleptic ordinal
    loud_count: int = 0  #: loud alerts on that day
    previews: bool = False  #: cards come with Telegram's preview of the article (reader-ux.md 5: off)
    quiet_offered: bool = False  #: it was asked once whether it wants quiet hours
    manages: int = 0  #: the channel that commands in this private chat are for
    manages_until: Millis = 0
    spates: tuple[Spate, ...] = ()  #: what came of each tag lately


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """What is followed: articles bearing every term of `wanted` and none of `unwanted`.

    A term is a tag in normal form, or a source: `@interfax-en` (core/tags.py).

    The order of `wanted` is the order it was typed in; equality of rules is that of `key`.
    """

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """All that it names."""
        return (*self.wanted, *self.unwanted)

    @property
    def key(self) -> str:
        """One spelling for equal rules, e.g. `nato+peace_plan-sport`."""
        return "+".join(sorted(self.wanted)) + "".join(f"-{slug}" for slug in sorted(self.unwanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A stored subscription of one chat (and topic)."""

    id: int
    chat_id: int
    thread_id: int
    spec: RuleSpec
    created_at: Millis
    muted_until: Millis = 0
    volume: Volume = Volume.LOUD


# --------------------------------------------------------------------------- delivery


class Kind(StrEnum):
    """What an outbox row is about; `subject` is an id in the matching table."""

    ALERT = "alert"
    BROADCAST = "broadcast"
    NOTICE = "notice"
    FIXED = "fixed"  #: the notice of an alarm that is over, made to say so; its subject is the notice
    EDIT = "edit"  #: the card of an alert that was sent, made anew; its subject is a revision of the article
    CORRECTION = "correction"  #: hot news that was sent, made anew; its subject is a change of the broadcast
    RECALL = "recall"  #: hot news that was sent, taken back; its subject as above


class Lane(IntEnum):
    """Smaller goes first; answers to people never queue here at all."""

    HOT = 1
    ALERT = 2
    DIGEST = 3
    EDIT = 4


class DeliveryState(StrEnum):
    """The life of an outbox row."""

    QUEUED = "queued"  #: waits for its time
    CLAIMED = "claimed"  #: a worker has it until its lease ends
    SENT = "sent"
    DROPPED = "dropped"  #: will never be sent, for a reason that is not a fault
    PARKED = "parked"  #: gave up; the reason is kept for people to see


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A claimed outbox row."""

    id: int
    kind: Kind
    subject: int
    chat_id: int
    thread_id: int
    attempts: int  #: how often it was on the wire, this try included, so 1 on the first
    queued_at: Millis
    lane: Lane = Lane.ALERT
    due_at: Millis = 0  #: until when its reader has put it off; 0: never did

    @property
    def since(self) -> Millis:
        """From when on it has waited for us: what its reader put off is not late before its time."""
        return max(self.queued_at, self.due_at)


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: exactly one of `url` and `data` (at most 64 bytes) is set."""

    label: str
    url: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message ready to be sent: HTML in Telegram's dialect, and the same as plain text to fall back on."""

    html: str
    plain: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    preview: bool = False  #: show Telegram's link preview
    silent: bool = False
    photo: str = ""  #: Telegram's id of a picture; the text is its caption
    replies_to: int = 0  #: the message of its chat that it answers


class Fate(StrEnum):
    """What became of one call to Telegram (facts/telegram.md 1.5)."""

    SENT = "sent"
    UNSENT = "unsent"  #: surely never reached Telegram (connect, pool)
    UNKNOWN = "unknown"  #: the request left, no answer came
    FLOOD = "flood"  #: 429, wait `retry_after`
    SERVER = "server"  #: 5xx
    UNREACHABLE = "unreachable"  #: blocked, kicked, deactivated, chat not found
    MIGRATED = "migrated"  #: the group is `moved_to` now
    NO_THREAD = "no-thread"  #: the topic is closed or gone
    NO_RIGHTS = "no-rights"  #: present, but not allowed to write
    BAD_MARKUP = "bad-markup"  #: Telegram cannot parse our HTML: our defect
    TOO_LONG = "too-long"  #: longer than Telegram takes: our defect
    NO_MESSAGE = "no-message"  #: what is to be changed is gone
    FIXED = "fixed"  #: what is to be changed is there, and Telegram lets us change it no more
    NOT_MODIFIED = "not-modified"  #: an edit that changes nothing
    REJECTED = "rejected"  #: any other 400
    UNAUTHORISED = "unauthorised"  #: the token is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A call's fate with what Telegram said about it."""

    fate: Fate
    message_id: int | None = None
    retry_after: int = 0  #: seconds
    moved_to: int | None = None
    detail: str = ""


class Ruling(StrEnum):
    """What to do with the row."""

    SENT = "sent"
    RETRY = "retry"  #: queue again, not before `at`
    HOLD = "hold"  #: queue again with everything else of this chat; nothing is tried there before `at`
    DROP = "drop"
    PARK = "park"
    RETIRE = "retire"  #: drop it, and everything else queued for this chat; the chat is inactive
    MOVE = "move"  #: re-key the chat to `moved_to`, then send again
    ROOT = "root"  #: send again outside the topic
    PLAIN = "plain"  #: send again at once as plain text
    OTHERWISE = "otherwise"  #: do at once what is second best: a reply for an edit, a notice for a deletion


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A ruling with what carrying it out needs."""

    ruling: Ruling
    at: Millis = 0
    free: bool = False  #: with RETRY and HOLD: surely nobody got it, so it does not count as an attempt
    message_id: int | None = None
    moved_to: int | None = None
    reason: str = ""
    lane: Lane | None = None  #: with RETRY: its reader put it off, to come in this lane; its age counts from `at`
    loud_day: int = 0  #: with SENT: the reader's local day that it counts as a loud alert of; 0: of none
    offer_quiet: bool = False  #: with SENT: it came at night, and its reader may want quiet hours
    spates: tuple[Spate, ...] | None = None  #: with SENT: what came of each tag lately, this included


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of the newsroom."""

    user_id: int
    role: Role
    name: str = ""  #: as Telegram told it when they came
