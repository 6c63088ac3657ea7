"""Hot news: what it says, to whom it goes, and who may take which step with it in which state.

    draft -> waiting (for a second person) -> scheduled (a countdown is a short wait) -> sending <-> paused
          -> done | failed | stopped, and from there -> recalled;  what is not sent yet -> cancelled

A step is granted by the one table below. What was approved is the text, the picture and the audience together, by their
hash: any change makes it a draft again (reader-ux.md 6).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING

from bot.core.model import ChatKind, RuleSpec
from bot.core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.model import Millis

#: Of a row that waits until somebody resumes its broadcast: the end of the year 9999.
ASIDE: Millis = 253_402_300_799_000
#: Telegram lets a bot delete what is younger (48 h, reader-ux.md 1; a call takes its time too).
DELETABLE_MS = 48 * 3_600_000 - 60_000
#: The same text again within this time is asked about.
REPEATED_MS = 3_600_000


class BroadcastState(StrEnum):
    """The life of a broadcast."""

    DRAFT = "draft"
    WAITING = "waiting"  #: for a second person
    SCHEDULED = "scheduled"  #: confirmed; goes out at `starts_at`
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"  #: the rest was never sent
    FAILED = "failed"  #: nobody got it
    RECALLED = "recalled"
    CANCELLED = "cancelled"  #: never sent


#: What has gone out to anybody, or may have.
STARTED = frozenset(
    {
        BroadcastState.SENDING,
        BroadcastState.PAUSED,
        BroadcastState.DONE,
        BroadcastState.STOPPED,
        BroadcastState.FAILED,
        BroadcastState.RECALLED,
    }
)


class Step(StrEnum):
    """What somebody does with a broadcast. START and FINISH are the service's own."""

    REVISE = "revise"  #: another text, picture or audience
    SUBMIT = "submit"  #: asks a second person
    CONFIRM = "confirm"  #: sends it, now or at a time
    APPROVE = "approve"  #: the same, by the second person
    BREAK_GLASS = "break-glass"  #: the same, without one, with a reason that all admins are told
    RETURN = "return"  #: it is a draft again, as it was
    HALT = "halt"  #: ends the countdown; it is a draft again
    CANCEL = "cancel"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    FINISH = "finish"
    CORRECT = "correct"
    RECALL = "recall"


class Refusal(StrEnum):
    """Why a step is not taken."""

    UNKNOWN = "unknown"  #: there is no such broadcast
    STATE = "state"  #: not a step of its present state
    CHANGED = "changed"  #: it is not what was seen
    ROLE = "role"
    SECOND = "second"  #: a second person has to approve it
    OWN = "own"  #: who wrote it cannot be the second person
    LIMIT = "limit"  #: as many were sent today as the newsroom allows itself
    REPEATED = "repeated"  #: the same text went out within the hour


@dataclass(frozen=True, slots=True)
class _Rule:
    to: BroadcastState | None  #: None: stays as it is
    role: Role
    own: Role | None = None  #: enough for who wrote it; None: the same
    frozen: bool = False  #: only upon what was seen, by its hash


_WRITING = Role.EDITOR, Role.AUTHOR
_S = BroadcastState
_TABLE: dict[tuple[BroadcastState, Step], _Rule] = {
    (_S.DRAFT, Step.REVISE): _Rule(_S.DRAFT, *_WRITING, frozen=True),
    (_S.DRAFT, Step.SUBMIT): _Rule(_S.WAITING, *_WRITING, frozen=True),
    (_S.DRAFT, Step.CONFIRM): _Rule(_S.SCHEDULED, Role.PUBLISHER, frozen=True),
    (_S.DRAFT, Step.CANCEL): _Rule(_S.CANCELLED, *_WRITING),
    (_S.WAITING, Step.REVISE): _Rule(_S.DRAFT, *_WRITING, frozen=True),
    (_S.WAITING, Step.APPROVE): _Rule(_S.SCHEDULED, Role.PUBLISHER, frozen=True),
    (_S.WAITING, Step.BREAK_GLASS): _Rule(_S.SCHEDULED, Role.PUBLISHER, frozen=True),
    (_S.WAITING, Step.RETURN): _Rule(_S.DRAFT, Role.PUBLISHER, Role.AUTHOR),
    (_S.WAITING, Step.CANCEL): _Rule(_S.CANCELLED, *_WRITING),
    (_S.SCHEDULED, Step.HALT): _Rule(_S.DRAFT, Role.PUBLISHER, Role.AUTHOR),
    (_S.SCHEDULED, Step.CANCEL): _Rule(_S.CANCELLED, Role.PUBLISHER, Role.AUTHOR),
    (_S.SENDING, Step.PAUSE): _Rule(_S.PAUSED, Role.PUBLISHER),
    (_S.SENDING, Step.STOP): _Rule(_S.STOPPED, Role.PUBLISHER),
    (_S.PAUSED, Step.RESUME): _Rule(_S.SENDING, Role.PUBLISHER),
    (_S.PAUSED, Step.STOP): _Rule(_S.STOPPED, Role.PUBLISHER),
    **{
        (state, step): rule
        for state in STARTED - {_S.RECALLED}
        for step, rule in (
            (Step.CORRECT, _Rule(None, Role.PUBLISHER, frozen=True)),
            (Step.RECALL, _Rule(_S.RECALLED, Role.PUBLISHER)),
        )
    },
}


#: What may become of a correction by itself; it takes its place by CORRECT, a step of what it corrects.
_OF_CORRECTIONS = frozenset({Step.SUBMIT, Step.CANCEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """To whom it goes; everything that is set must hold."""

    rules: tuple[RuleSpec, ...] = ()  #: who follows all the terms of one of these, and none that it excludes
    language: str = ""
    kind: str = ""  #: "private", "group" (supergroups too) or "channel"

    @property
    def everyone(self) -> bool:
        """Whether nothing is set."""
        return self == Audience()

    def as_data(self) -> dict[str, object]:
        """As JSON can hold it."""
        rules = [[list(rule.wanted), list(rule.unwanted)] for rule in self.rules]
        return {"rules": rules, "language": self.language, "kind": self.kind}

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Audience:
        """What `as_data` made."""
        rules = data.get("rules") or []
        specs = tuple(RuleSpec(tuple(wanted), tuple(unwanted)) for wanted, unwanted in rules)  # type: ignore[attr-defined]
        return cls(rules=specs, language=str(data.get("language", "")), kind=str(data.get("kind", "")))


#: The chats of each kind that an audience can name.
KINDS = {
    "private": (ChatKind.PRIVATE,),
    "group": (ChatKind.GROUP, ChatKind.SUPERGROUP),
    "channel": (ChatKind.CHANNEL,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What readers get, and which of them: all that is approved."""

    texts: Mapping[str, str]  #: HTML in Telegram's dialect by language; the first is for who speaks none of them
    photo: str = ""  #: Telegram's id of a picture, of which the text is the caption
    audience: Audience = field(default_factory=Audience)

    def text_for(self, language: str) -> str:
        """In this language, else the first there is."""
        return self.texts.get(language) or next(iter(self.texts.values()), "")

    def changed(self, old: Content) -> frozenset[str]:
        """The languages of which `old` says something else."""
        return frozenset(language for language, text in self.texts.items() if text != old.texts.get(language))

    def speaks(self, language: str) -> str:
        """The language in which a reader of `language` gets it."""
        return language if self.texts.get(language) else next(iter(self.texts), language)

    @property
    def hash(self) -> str:
        """64 bits in hexadecimal that change with anything in it; short enough for a button."""
        data = json.dumps([list(self.texts.items()), self.photo, self.audience.as_data()], ensure_ascii=False)
        return sha256(data.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """Hot news."""

    id: int
    author_id: int  #: who wrote its present text
    content: Content
    state: BroadcastState
    created_at: Millis
    starts_at: Millis = 0  #: when it goes out; 0: not confirmed
    started_at: Millis = 0
    ended_at: Millis = 0
    corrected_at: Millis = 0  #: the last time
    corrected: Mapping[str, Millis] = field(default_factory=dict)  #: when, by language
    recalled_at: Millis = 0
    total: int = 0  #: readers it was queued for
    told_chat: int = 0  #: where its progress is shown, and in which message
    told_message: int = 0
    corrects: int = 0  #: no news of its own: the text that shall take the place of what this broadcast says
    replaces: str = ""  #: and the hash of that


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsroomRules:
    """How this newsroom works."""

    second_person: bool = False
    countdown: Millis = 10_000
    time_zone: str = "Europe/Kyiv"
    daily_limit: int = 2
    per_second: float = 30.0  #: messages; 0: no limit
    admins: frozenset[int] = frozenset()  #: whom the configuration names


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step."""

    user_id: int
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A step that somebody wants to take."""

    step: Step
    broadcast_id: int  #: with CORRECT: of the kept correction
    by: Actor
    seen: str = ""  #: the hash of what they saw
    at: Millis = 0  #: with steps that send it: when; 0: after the countdown
    content: Content | None = None  #: with REVISE: the new one
    reason: str = ""  #: with BREAK_GLASS
    name: str = ""  #: theirs, for those who are told
    told: tuple[int, int] = (0, 0)  #: with steps that send it: the chat and message where its progress is shown
    anyway: frozenset[Refusal] = frozenset()  #: objections that they have seen


def refusal(step: Step, broadcast: Broadcast, by: Actor, seen: str, rules: NewsroomRules) -> Refusal | None:
    """Why `by` may not take this step now; None: they may.

    Args:
        step: what they want.
        broadcast: as it is.
        by: who presses.
        seen: the hash of what they saw.
        rules: the newsroom's.
    """
    rule = _TABLE.get((broadcast.state, step))
    if rule is None:
        return Refusal.STATE
    if broadcast.corrects and step not in (_OF_CORRECTIONS if rules.second_person else {Step.CANCEL}):
        return Refusal.STATE
    own = by.user_id == broadcast.author_id
    if not by.role.covers(rule.own if own and rule.own else rule.role):
        return Refusal.ROLE
    if rule.frozen and seen != broadcast.content.hash:
        return Refusal.CHANGED
    if step is Step.CONFIRM and rules.second_person:
        return Refusal.SECOND
    if step is Step.APPROVE and own and rules.second_person:
        return Refusal.OWN
    return None


def unfit(kept: Broadcast, old: Broadcast, by: Actor, seen: str, rules: NewsroomRules) -> Refusal | None:
    """Why `by`, who may correct `old`, may not put `kept` in its place; None: they may.

    Args:
        kept: what was kept as a correction, as it is now.
        old: what it is about.
        by: who presses.
        seen: the hash of what they saw of `kept`.
        rules: the newsroom's.
    """
    if kept.corrects != old.id or kept.state not in {_S.DRAFT, _S.WAITING}:
        return Refusal.UNKNOWN
    if kept.content.hash != seen or kept.replaces != old.content.hash:
        return Refusal.CHANGED
    own = by.user_id == kept.author_id
    if kept.state is _S.DRAFT and not own:
        return Refusal.UNKNOWN
    if not rules.second_person:
        return None
    return Refusal.SECOND if kept.state is _S.DRAFT else Refusal.OWN if own else None


def after(step: Step, state: BroadcastState) -> BroadcastState:
    """The state after a step that `refusal` grants."""
    return _TABLE[state, step].to or state


def least(step: Step) -> Role:
    """The least role that may ever take this step."""
    roles = [role for (_, one), rule in _TABLE.items() if one is step for role in (rule.role, rule.own) if role]
    return min(roles, key=list(Role).index)


def language_of(plain: str) -> str:
    """The one of our two languages that a text is written in, by its letters."""
    letters = [char for char in plain.casefold() if char.isalpha()]
    return "uk" if sum("а" <= char <= "ґ" for char in letters) * 2 > len(letters) else "en"


def addresses(html: str) -> list[str]:
    """The web addresses in a piece of Telegram's HTML, those behind words first, each once."""
    behind = [unescape(found) for found in re.findall(r'<a href="([^"]*)"', html)]
    bare = re.findall(r"https?://[^\s<>\"]+", unescape(re.sub(r"<[^>]*>", " ", html)))
    return list(dict.fromkeys(one for one in (*behind, *bare) if one.startswith(("http://", "https://"))))
