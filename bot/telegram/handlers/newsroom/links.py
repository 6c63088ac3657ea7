"""The links of a text: each is asked whether it answers, before readers are sent there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.broadcast import addresses
from bot.telegram.texts import html_of

if TYPE_CHECKING:
    from bot.core.broadcast import Content
    from bot.telegram.desk import Turn

#: Seconds for all links of a text together; who waits is an editor in a hurry.
LINKS_S = 3.0
MOST_LINKS = 10


async def broken_links(turn: Turn, content: Content) -> list[str]:
    """Lines about the links of a text that do not answer within LINKS_S."""
    probe = turn.desk.probe
    found = list(dict.fromkeys(one for html in content.texts.values() for one in addresses(html)))[:MOST_LINKS]
    if probe is None or not found:
        return []

    async def asked(address: str) -> str:
        try:
            async with asyncio.timeout(LINKS_S):
                return await probe(address)
        except TimeoutError:
            return turn.texts.text("no answer")

    said = await asyncio.gather(*map(asked, found))
    return [f"{html_of(address)} — {html_of(detail)}" for address, detail in zip(found, said, strict=True) if detail]
