"""Hot news sent without the chat: drafted, confirmed and begun, as its buttons do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.broadcast import Actor, Content, NewsroomRules, Refusal, Step, Wish
from bot.core.roles import Role

if TYPE_CHECKING:
    from bot.core.broadcast import Audience, Broadcast
    from bot.store.store import Store

#: A newsroom that is asked nothing.
AT_ONCE = NewsroomRules(countdown=0, daily_limit=0)
ANYWAY = frozenset({Refusal.LIMIT, Refusal.REPEATED})


async def drafted(
    store: Store,
    html: str,
    now: int,
    *,
    author: int = 1,
    audience: Audience | None = None,
    photo: str = "",
    uk: str = "",
) -> Broadcast:
    texts = {"en": html} | ({"uk": uk} if uk else {})
    content = Content(texts=texts, photo=photo, **({"audience": audience} if audience else {}))
    return await store.broadcasts.draft(author, content, now)


async def step(store: Store, what: Step, draft: Broadcast, now: int, **more) -> Broadcast | Refusal:
    """A publisher who sees it as it is takes a step."""
    by = more.pop("by", Actor(draft.author_id, Role.ADMIN))
    rules = more.pop("rules", AT_ONCE)
    wish = Wish(step=what, broadcast_id=draft.id, by=by, seen=more.pop("seen", draft.content.hash), **more)
    return await store.broadcasts.take(wish, rules, now)


async def confirmed(store: Store, draft: Broadcast, now: int) -> int | None:
    """Confirm and begin: the readers it was queued for; None when it could not be confirmed."""
    taken = await step(store, Step.CONFIRM, draft, now, anyway=ANYWAY)
    if isinstance(taken, Refusal):
        return None
    return sum(one.total for one in await store.broadcasts.start_due(now) if one.id == draft.id)


async def send_hot(store: Store, html: str, now: int, **how) -> Broadcast:
    """To everybody, from now on."""
    draft = await drafted(store, html, now, **how)
    assert await confirmed(store, draft, now) is not None
    found = await store.broadcasts.get(draft.id)
    assert found is not None
    return found
