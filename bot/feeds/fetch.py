"""Fetching: conditional, polite, within limits. Whatever a site does comes back as a value (feeds.md 1)."""

from __future__ import annotations

import asyncio
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import aiohttp

from bot.core.model import Failure, Fetched, FetchFailed, NotModified, Push, Validators
from bot.feeds.freshness import fresh_for, retry_after
from bot.feeds.guard import PrivateAddressError, PublicResolver, refusal
from bot.feeds.turns import Turns

if TYPE_CHECKING:
    from types import TracebackType

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
PIECE = 64 * 1024
CONNECT_S, SILENCE_S = 10.0, 15.0
#: However long a site asks everybody to wait, it is asked again after a day.
LONGEST_REST_S = 24 * 60 * 60
#: Of one header; a site that sends more sends no news.
MAX_HEADER = 16 * 1024
FEED_TYPES = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
PAGE_TYPES = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"


class Fetcher:
    """Asks sites. One session without cookies; use as an async context manager.

    Args:
        user_agent: how we introduce ourselves.
        timeout_s: seconds for one answer, redirects and body included.
        max_bytes: of a body, decompressed.
        allow_private: whether loopback and private addresses may be asked.
        per_host: requests to one site at once.
        pause_s: seconds between two requests to one site.
        connections: over all sites.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout_s: float,
        max_bytes: int,
        allow_private: bool,
        per_host: int,
        pause_s: float,
        connections: int,
    ) -> None:
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._allow_private = allow_private
        self._turns = Turns(per_host, pause_s)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            resolver=None if self._allow_private else PublicResolver(),
            ttl_dns_cache=300,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            # The whole answer is timed below; these end a connection that hangs, or falls silent, sooner.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, validators: Validators) -> Fetched | NotModified | FetchFailed:
        """A feed's document, unless it is the one we have."""
        headers = {"Accept": FEED_TYPES}
        if validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators.last_modified:
            headers["If-Modified-Since"] = validators.last_modified
        return await self._get(url, headers)

    async def fetch_page(self, url: str) -> Fetched | FetchFailed:
        """An article's page."""
        answer = await self._get(url, {"Accept": PAGE_TYPES})
        if isinstance(answer, NotModified):
            return FetchFailed(failure=Failure.STATUS, detail=f"{url}: answered 304 to no condition", status=304)
        return answer

    async def post(self, url: str, form: dict[str, str]) -> FetchFailed | None:
        """Send a form, as to a hub; None when it was taken (2xx)."""
        answer = await self._get(url, {}, form=form)
        if isinstance(answer, FetchFailed):
            return None if answer.status in {201, 202, 203, 204} else answer
        return None

    async def _get(
        self, url: str, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> Fetched | NotModified | FetchFailed:
        try:
            return await self._follow(url, headers, form)
        except TimeoutError:
            return FetchFailed(failure=Failure.TIMEOUT, detail=f"{url}: no answer within {self._timeout_s:g} s")
        except PrivateAddressError as error:
            return FetchFailed(failure=Failure.ADDRESS, detail=f"{url}: {error}")
        except aiohttp.InvalidURL as error:
            return FetchFailed(failure=Failure.ADDRESS, detail=f"{url}: not a valid address: {_words(error)}")
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddressError):
                return FetchFailed(failure=Failure.ADDRESS, detail=f"{url}: {error.os_error}")
            return FetchFailed(failure=Failure.CONNECT, detail=f"{url}: no connection: {_words(error)}")
        except (aiohttp.ClientError, OSError, zlib.error, ValueError) as error:
            return FetchFailed(failure=Failure.BROKEN, detail=f"{url}: the answer broke: {_words(error)}")

    async def _follow(
        self, url: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> Fetched | NotModified | FetchFailed:
        """Ask, and follow redirections. All hops share one time; waiting for a turn at a site does not count."""
        at, permanent, left_s = url, True, self._timeout_s
        loop = asyncio.get_running_loop()
        for hop in range(MAX_REDIRECTS + 1):
            if why := refusal(at, allow_private=self._allow_private):
                return FetchFailed(failure=Failure.ADDRESS, detail=f"{at}: {why}")
            async with self._turns.at(at) as rests:
                if rests:
                    return FetchFailed(
                        failure=Failure.RESTING, detail="its site has asked to wait", retry_after=math.ceil(rests)
                    )
                started = loop.time()
                async with asyncio.timeout(left_s):
                    answer = await self._ask(at, headers, form, moved=at if hop and permanent else "")
                left_s -= loop.time() - started
            if isinstance(answer, FetchFailed) and answer.whole_site and answer.retry_after:
                self._turns.rest(at, min(answer.retry_after, LONGEST_REST_S))
            if not isinstance(answer, _Redirect):
                return answer
            permanent = permanent and answer.permanent
            at = urljoin(at, answer.location)
        return FetchFailed(failure=Failure.REDIRECTS, detail=f"{url}: redirected more than {MAX_REDIRECTS} times")

    async def _ask(
        self, url: str, headers: dict[str, str], form: dict[str, str] | None, *, moved: str
    ) -> Fetched | NotModified | FetchFailed | _Redirect:
        assert self._session is not None  # noqa: S101 - a context manager's promise
        method = "GET" if form is None else "POST"
        async with self._session.request(method, url, headers=headers, data=form, allow_redirects=False) as response:
            location = response.headers.get("Location")
            if response.status in REDIRECTS and location:
                return _Redirect(location, permanent=response.status in PERMANENT)
            return await self._answer(url, response, moved)

    async def _answer(
        self, url: str, response: aiohttp.ClientResponse, moved: str
    ) -> Fetched | NotModified | FetchFailed:
        validators = Validators(etag=response.headers.get("ETag"), last_modified=response.headers.get("Last-Modified"))
        if response.status == 304:
            return NotModified(validators=validators, fresh_s=fresh_for(response.headers), moved_to=moved)
        if response.status == 410:
            return FetchFailed(failure=Failure.GONE, detail=f"{url}: gone for good (HTTP 410)", status=410)
        if response.status != 200:
            return FetchFailed(
                failure=Failure.STATUS,
                detail=f"{url}: HTTP {response.status} {response.reason or ''}".strip(),
                status=response.status,
                retry_after=retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
                if response.status in {429, 503}
                else None,
                whole_site=response.status == 429,
            )
        body = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            body += piece
            if len(body) > self._max_bytes:
                return FetchFailed(failure=Failure.TOO_LARGE, detail=f"{url}: more than {self._max_bytes} bytes")
        content_type = response.headers.get("Content-Type", "")
        return Fetched(
            url=url,
            body=bytes(body),
            content_type=content_type,
            validators=validators,
            fresh_s=fresh_for(response.headers),
            moved_to=moved,
            push=_push(response),
        )


def _push(response: aiohttp.ClientResponse) -> Push | None:
    """The hub that the answer's Link headers name (WebSub 4); they come before the document's own."""
    named = {str(relation): str(link["url"]) for relation, link in response.links.items() if "url" in link}
    hub, own = named.get("hub"), named.get("self")
    return Push(hub, own) if hub and own else None


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str
    permanent: bool


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
