"""Claimed rows made ready to be sent: each gets its card, or the verdict that needs no call.

Rendered late, from one reading of everything that the rows are made of: an article corrected, a rule muted or a
broadcast withdrawn while a row waited counts. A row is sent as soon as it is rendered, so what was read is at most as
old as the limiter's patience for one chat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from bot.core import card
from bot.core.attention import Decision, Way, decide, fold, local_day, wants_offer
from bot.core.broadcast import ASIDE, DELETABLE_MS, BroadcastState
from bot.core.calendar import when
from bot.core.matching import firing
from bot.core.model import Kind, Lane, NoticeCode, Ruling, Verdict
from bot.core.tags import hashtag
from bot.core.tallies import GONE, OFF, STOPPED
from bot.core.verdicts import beforehand, is_stale
from bot.store.copies import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.core.bursts import Spate
    from bot.core.model import Article, Card, Chat, Delivery, Millis, Notice, Rule
    from bot.core.verdicts import Policy
    from bot.pipeline.ports import Vocabulary
    from bot.store.material import Material

    #: A row, its article, the tags for which its chat gets it, and whether it makes a sound.
    _Wanted = tuple[Delivery, Article, tuple[str, ...], bool]

log = structlog.get_logger(__name__)
#: Cards kept: of one article there are as many as languages, time zones and sets of matched tags.
KEPT_CARDS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message to one chat, and the rows that it settles: one, or all that a catch-up card or a digest stands for."""

    deliveries: tuple[Delivery, ...]
    card: Card
    articles: tuple[Article, ...] = ()  #: of its alerts, row by row
    edits: int | None = None  #: the message that it changes, instead of a new one
    spates: tuple[Spate, ...] | None = None  #: what its chat got of each tag lately, this included
    deletes: int | None = None  #: the message that it takes away
    otherwise: Parcel | None = None  #: what is done where Telegram lets us change no more
    loud_day: int = 0  #: the reader's day on which it counts as a loud alert; 0: it does not
    offer_quiet: bool = False  #: its reader may want quiet hours after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is to be sent, and what is settled already."""

    parcels: tuple[Parcel, ...]
    settled: tuple[tuple[Delivery, Verdict], ...]


class Renderer:
    """Makes cards; those that are alike for many readers are made once."""

    def __init__(self, words: Vocabulary, policy: Policy) -> None:
        self._words = words
        self._policy = policy
        self._alert = lru_cache(KEPT_CARDS)(self._make_alert)

    def render(self, bundles: Iterable[Sequence[Delivery]], material: Material, now: Millis) -> Rendered:
        """Each bundle becomes one message: a row alone, or the alerts of a chat that come on one card.

        A row that cannot be rendered is a defect of ours: it is parked, loudly, and never stops the others.
        """
        parcels: list[Parcel] = []
        settled: list[tuple[Delivery, Verdict]] = []
        for bundle in bundles:
            try:
                made, known = self._render(bundle, material, now)
            except Exception as error:
                log.exception("deliver.defect", delivery=bundle[0].id)
                verdict = Verdict(ruling=Ruling.PARK, reason=f"defect: {type(error).__name__}: {error}"[:200])
                made, known = [], [(delivery, verdict) for delivery in bundle]
            parcels += made
            settled += known
        return Rendered(parcels=tuple(parcels), settled=tuple(settled))

    def _render(
        self, bundle: Sequence[Delivery], material: Material, now: Millis
    ) -> tuple[list[Parcel], list[tuple[Delivery, Verdict]]]:
        parcels: list[Parcel] = []
        settled: list[tuple[Delivery, Verdict]] = []
        wanted: list[_Wanted] = []
        for delivery in bundle:
            match self._look(delivery, material, now):
                case Verdict() as verdict:
                    settled.append((delivery, verdict))
                case Parcel() as parcel:
                    parcels.append(parcel)
                case article, matched, loud:
                    wanted.append((delivery, article, matched, loud))
        if wanted:
            parcels.append(self._parcel(wanted, material, now))
        return parcels, settled

    def _look(
        self, delivery: Delivery, material: Material, now: Millis
    ) -> Verdict | Parcel | tuple[Article, tuple[str, ...], bool]:
        """The verdict on a row that is not to be sent, a message of its own, or an article, its tags, its sound."""
        chat = material.chats.get(delivery.chat_id)
        if chat is None or not chat.active:
            return _drop(GONE)
        if chat.held_until > now:
            return Verdict(ruling=Ruling.RETRY, at=chat.held_until, free=True, reason="the chat is held")
        if verdict := beforehand(delivery, now=now, policy=self._policy):
            return verdict
        if delivery.kind is Kind.EDIT:
            return self._edit(delivery, material, now)
        if delivery.kind in CHANGES:
            return self._change(delivery, chat, material, now)
        if delivery.kind is Kind.FIXED:
            return self._fixed(delivery, chat, material, now)
        if (delivery.chat_id, delivery.thread_id) in material.closed:
            return Verdict(ruling=Ruling.ROOT, reason="the topic is closed")
        if delivery.kind is not Kind.ALERT:
            return self._message(delivery, chat, material, now)
        return self._news(delivery, chat, material, now)

    def _news(
        self, delivery: Delivery, chat: Chat, material: Material, now: Millis
    ) -> Verdict | tuple[Article, tuple[str, ...], bool]:
        """An alert: whether it is still wished for, and whether it goes now."""
        article = material.articles.get(delivery.subject)
        if article is None:
            return _drop("the article is gone")
        fired = _fired(delivery, article, material, now)
        if not fired:
            return _drop("no longer followed")
        stale = is_stale(delivery, now=now, policy=self._policy)
        decision = fold(chat, now) if stale else decide(delivery, chat, [rule.volume for rule in fired], now)
        if verdict := _put_off(delivery, decision):
            return verdict
        terms = _terms(fired)
        if not delivery.due_at:  # what was put off before comes with its own kind
            rest = self._policy.folding.until(chat.spates, delivery.thread_id, terms, now)
            if rest and (verdict := _put_off(delivery, Decision(Way.LATER, rest))):
                return verdict
        return article, terms, decision.way is Way.LOUD

    def _message(self, delivery: Delivery, chat: Chat, material: Material, now: Millis) -> Verdict | Parcel:
        """What is no alert."""
        if delivery.kind is Kind.BROADCAST:
            broadcast = material.broadcasts.get(delivery.subject)
            if broadcast is not None and broadcast.state is BroadcastState.PAUSED:
                return Verdict(ruling=Ruling.RETRY, at=ASIDE, free=True, reason="the broadcast is paused")
            if broadcast is None or broadcast.state is not BroadcastState.SENDING:
                return _drop(STOPPED)
            words = self._words(chat.language)
            made = card.hot(broadcast, language=chat.language, time_zone=chat.time_zone, words=words)
        else:
            notice = material.notices.get(delivery.subject)
            if notice is None:
                return _drop("the notice is gone")
            made = self._notice(notice, chat, now)
        decision = decide(delivery, chat, (), now)
        made = replace(made, silent=made.silent or decision.way is Way.SILENT)
        return _put_off(delivery, decision) or Parcel(deliveries=(delivery,), card=made)

    def _notice(self, notice: Notice, chat: Chat, now: Millis) -> Card:
        words = self._words(chat.language)
        if notice.fixed_at:
            notice = replace(notice, fixed=when(notice.fixed_at, now, chat.time_zone))
        made = card.announcement(words.notice(notice), words.choices(notice))
        # One sound at night was enough; and what is over need not be heard.
        return replace(made, silent=notice.code is NoticeCode.QUIET or bool(notice.fixed), preview=False)

    def _fixed(self, delivery: Delivery, chat: Chat, material: Material, now: Millis) -> Verdict | Parcel:
        """What an admin was alerted to is over: the message says so."""
        notice, message_id = material.notices.get(delivery.subject), material.told.get(delivery.id)
        if notice is None or message_id is None:
            return _drop("there is no message to change")
        return Parcel(deliveries=(delivery,), card=self._notice(notice, chat, now), edits=message_id)

    def _edit(self, delivery: Delivery, material: Material, now: Millis) -> Verdict | Parcel:
        """A correction comes to whoever has the card, also where its tag is muted or followed no more."""
        target = material.targets.get(delivery.id)
        article = material.articles.get(target.article_id) if target else None
        if target is None or article is None:
            return _drop("there is no card to change")
        if target.superseded or target.shared:
            return _drop("a later change does it" if target.superseded else "the card stands for several articles")
        matched = _terms(_fired(delivery, article, material, now))
        made = self._card(article, matched, material.chats[delivery.chat_id], material)
        return Parcel(deliveries=(delivery,), card=made, edits=target.message_id)

    def _change(self, delivery: Delivery, chat: Chat, material: Material, now: Millis) -> Verdict | Parcel:
        """Hot news corrected or taken back, without a sound, where its reader has it."""
        copy = material.copies.get(delivery.id)
        broadcast = material.broadcasts.get(copy.broadcast_id) if copy else None
        if copy is None or broadcast is None:
            return _drop("there is no copy to change")
        if copy.superseded:
            return _drop("a later change does it")
        rows, words, message = (delivery,), self._words(chat.language), copy.message_id
        if delivery.kind is Kind.CORRECTION:
            made = card.hot(broadcast, language=chat.language, time_zone=chat.time_zone, words=words)
            reply = Parcel(deliveries=rows, card=replace(made, silent=True, replies_to=message))
            return Parcel(deliveries=rows, card=made, edits=message, otherwise=reply)
        made = card.announcement(words.recalled, photo=broadcast.content.photo)
        notice = Parcel(deliveries=rows, card=made, edits=message)
        young = now - copy.sent_at < DELETABLE_MS
        return replace(notice, edits=None, deletes=message, otherwise=notice) if young else notice

    def _card(self, article: Article, matched: tuple[str, ...], chat: Chat, material: Material) -> Card:
        tag_id = material.tag_ids.get(matched[0]) if matched else None
        made = self._alert(article, chat.language, chat.time_zone, matched, tag_id)
        return replace(made, preview=True) if chat.previews else made

    def _parcel(self, wanted: Sequence[_Wanted], material: Material, now: Millis) -> Parcel:
        deliveries, articles, matched, loud = zip(*wanted, strict=True)
        chat = material.chats[deliveries[0].chat_id]
        words, folding, thread = self._words(chat.language), self._policy.folding, deliveries[0].thread_id
        why, behind = {terms[0] for terms in matched}, f"rest:{deliveries[0].id}:"
        rest = len(why) == 1 and folding.folds(chat.spates, thread, *why)
        if len(wanted) > 1 and any(delivery.due_at for delivery in deliveries):
            heading = words.more_on(len(wanted), hashtag(*why)) if rest else words.digest(len(wanted))
            listed = [(terms[0], one) for terms, one in zip(matched, articles, strict=True)]
            made = card.digest(listed, heading=heading, words=words, rest=behind)
        elif len(wanted) > 1:
            made = card.catch_up(articles, now=now, time_zone=chat.time_zone, words=words, rest=behind)
        else:
            made = self._card(articles[0], matched[0], chat, material)
        terms = dict.fromkeys(term for several in matched for term in several)
        spates = folding.count(chat.spates, thread, terms, now, rest=rest and len(wanted) > 1)
        parcel = Parcel(deliveries=deliveries, card=made, articles=articles, spates=spates)
        if not any(loud):
            return replace(parcel, card=replace(made, silent=True))
        offer = self._policy.offer_quiet and wants_offer(chat, now)
        return replace(parcel, loud_day=local_day(now, chat.time_zone), offer_quiet=offer)

    def _make_alert(
        self, article: Article, language: str, time_zone: str, matched: tuple[str, ...], tag_id: int | None
    ) -> Card:
        words = self._words(language)
        return card.alert(article, matched=matched, time_zone=time_zone, words=words, matched_tag_id=tag_id)


def _put_off(delivery: Delivery, decision: Decision) -> Verdict | None:
    """What the reader's wishes say of a row that does not go now; alerts that wait come together."""
    if decision.way is Way.NEVER:
        return _drop(OFF)
    if decision.way not in {Way.LATER, Way.DIGEST}:
        return None
    lane = Lane.DIGEST if delivery.kind is Kind.ALERT else delivery.lane
    return Verdict(ruling=Ruling.RETRY, at=decision.at, free=True, reason=f"put off: {decision.way}", lane=lane)


def _terms(rules: Sequence[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for rule in rules for term in rule.spec.wanted))


def _fired(delivery: Delivery, article: Article, material: Material, now: Millis) -> list[Rule]:
    """Why the chat gets the article. A row that had to leave its topic matches by the rules of any topic."""
    rules, never = material.rules.get(delivery.chat_id, []), material.never.get(delivery.chat_id, ())
    terms = {term.slug for term in article.terms}
    here = firing([rule for rule in rules if rule.thread_id == delivery.thread_id], terms, now, never)
    return here or ([] if delivery.thread_id else firing(rules, terms, now, never))


def _drop(reason: str) -> Verdict:
    return Verdict(ruling=Ruling.DROP, reason=reason)
