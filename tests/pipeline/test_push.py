"""WebSub: a hub is asked, asks back, and its pushes are hints to poll."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from bot.core.model import Hook
from bot.feeds.hub import is_signed, subscription
from bot.pipeline.push import PATIENCE_MS, RENEW_MS, Pushes
from bot.web.metrics import Metrics
from bot.web.server import WebServer
from tests.site import fetcher

from .conftest import World, item

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "a secret of nothing"


def signed(body: bytes, secret: str = SECRET, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()}"


@pytest.mark.parametrize(
    ("signature", "own"),
    [
        (signed(b"x"), True),
        (signed(b"x", algorithm="sha1"), True),
        (signed(b"x", algorithm="sha512"), True),
        (signed(b"x").upper().replace("SHA256", "SHA256"), True),
        (signed(b"y"), False),
        (signed(b"x", "another"), False),
        (signed(b"x", algorithm="md5"), False),
        ("sha256=", False),
        ("", False),
        ("sha256", False),
    ],
)
def test_a_signature_is_the_hubs_own_or_not(signature: str, own: bool) -> None:
    assert is_signed(SECRET, b"x", signature) is own


class Hubbed:
    """A feed with a hub, and our web server that the hub reaches."""

    def __init__(self, world: World, url: str, pushes: Pushes, hinted: list[str]) -> None:
        self.world, self.url, self.pushes, self.hinted = world, url, pushes, hinted
        self.asked: list[dict[str, str]] = []

    async def hub(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(status=202)

    async def verify(self, **changes: str) -> tuple[int, str]:
        """Ask back as hubs do."""
        form = self.asked[-1]
        query = {
            "hub.mode": "subscribe", "hub.topic": form["hub.topic"], "hub.challenge": "c-1", "hub.lease_seconds": "864000",
            **{name.replace("_", "."): value for name, value in changes.items()},
        }  # fmt: skip
        async with aiohttp.ClientSession() as session, session.get(form["hub.callback"], params=query) as answer:
            return answer.status, await answer.text()

    async def push(self, body: bytes, signature: str, callback: str = "") -> int:
        async with aiohttp.ClientSession() as session:
            headers = {"X-Hub-Signature": signature}
            async with session.post(callback or self.asked[-1]["hub.callback"], data=body, headers=headers) as answer:
                return answer.status


@pytest.fixture
async def hubbed(world: World, unused_tcp_port: int) -> AsyncIterator[Hubbed]:
    hinted: list[str] = []
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with fetcher() as fetch:
        pushes = Pushes(
            store=world.store, fetcher=fetch, clock=lambda: world.now, public_url=url + "/", on_push=hinted.append
        )

        async def healthy() -> dict[str, object]:
            return {}

        server = WebServer("127.0.0.1", unused_tcp_port, health=healthy, registry=Metrics().registry, hub=pushes)  # type: ignore[arg-type]
        async with server:
            made = Hubbed(world, url, pushes, hinted)
            world.site.handle("/hub", made.hub)
            world.feed("pushed")
            body = (
                '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>t</title>'
                f'<atom:link rel="hub" href="{world.site.url}/hub"/><atom:link rel="self" href="{world.site.url}/pushed"/>'
                f"{item(1)}</channel></rss>"
            )
            world.site.serve("/pushed", body=body.encode())
            world.feed("plain", item(2))
            await world.poll()
            yield made


async def test_a_hub_is_asked_once_confirmed_and_renewed(hubbed: Hubbed) -> None:
    world = hubbed.world
    await hubbed.pushes.renew()
    await hubbed.pushes.renew()
    (form,) = hubbed.asked
    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", f"{world.site.url}/pushed")
    assert form["hub.callback"].startswith(f"{hubbed.url}/websub/")
    assert len(form["hub.secret"]) >= 32
    assert await hubbed.verify() == (200, "c-1")
    world.now += PATIENCE_MS + 1
    await hubbed.pushes.renew()
    assert len(hubbed.asked) == 1  # the lease holds
    world.now += 864_000_000 - RENEW_MS
    await hubbed.pushes.renew()
    assert len(hubbed.asked) == 2
    assert hubbed.asked[1]["hub.secret"] == form["hub.secret"]


async def test_a_hub_that_stays_silent_is_asked_again_later(hubbed: Hubbed) -> None:
    await hubbed.pushes.renew()
    hubbed.world.now += PATIENCE_MS + 1
    await hubbed.pushes.renew()
    assert len(hubbed.asked) == 2


async def test_nobody_else_can_confirm(hubbed: Hubbed) -> None:
    await hubbed.pushes.renew()
    assert (await hubbed.verify(hub_topic="https://evil.example/"))[0] == 404
    assert (await hubbed.verify(hub_mode="unsubscribe"))[0] == 404
    hubbed.asked[-1]["hub.callback"] = f"{hubbed.url}/websub/guess"
    assert (await hubbed.verify())[0] == 404


async def test_only_the_hubs_own_push_is_a_hint(hubbed: Hubbed) -> None:
    await hubbed.pushes.renew()
    secret = hubbed.asked[-1]["hub.secret"]
    assert await hubbed.push(b"<rss/>", signed(b"<rss/>", "guess")) == 202  # told nothing, and nothing done
    assert await hubbed.push(b"<rss/>", "") == 202
    assert hubbed.hinted == []
    assert await hubbed.push(b"<rss/>", signed(b"<rss/>", secret)) == 202
    assert hubbed.hinted == ["pushed"]
    assert await hubbed.push(b"", "", f"{hubbed.url}/websub/guess") == 410


async def test_a_hint_polls_the_feed_at_once(world: World) -> None:
    world.feed("a", item(1))
    await world.poll()
    async with fetcher() as fetch:
        poller = world.poller(fetch)
        world.publish("a", item(2))
        poller.hint("a")
        poller.hint("a")
        poller.hint("nobody")
        await asyncio.gather(*poller._under_way.values())
    assert world.woken == 1


def test_the_form_is_the_recommendations() -> None:
    hook = Hook(feed="f", hub="https://h.example", topic="https://t.example", token="t", secret=SECRET, leased_until=0)
    assert set(subscription(hook, "https://us.example/websub/t")) == {
        "hub.mode", "hub.topic", "hub.callback", "hub.secret", "hub.lease_seconds",
    }  # fmt: skip
