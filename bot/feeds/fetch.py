"""Fetching: conditional, polite, within limits. Whatever a site does comes back as a value (feeds.md 1)."""

from __future__ import annotations

import asyncio
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import aiohttp

from bot.core.model import Failure, Fetched, FetchFailed, NotModified, Validators
from bot.feeds.guard import PrivateAddressError, PublicResolver, refusal

if TYPE_CHECKING:
    from types import TracebackType

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PIECE = 64 * 1024
FEED_TYPES = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
PAGE_TYPES = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"


class Fetcher:
    """Asks sites. One session without cookies; use as an async context manager.

    Args:
        user_agent: how we introduce ourselves.
        timeout_s: seconds for one answer, redirects and body included.
        max_bytes: of a body, decompressed.
        allow_private: whether loopback and private addresses may be asked.
        per_host: connections to one site at once.
        connections: over all sites.
    """

    def __init__(
        self, *, user_agent: str, timeout_s: float, max_bytes: int, allow_private: bool, per_host: int, connections: int
    ) -> None:
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._allow_private = allow_private
        self._per_host = per_host
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            limit_per_host=self._per_host,
            resolver=None if self._allow_private else PublicResolver(),
            ttl_dns_cache=300,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            # Waiting for a turn at a busy site is not the site's fault: the time of an answer is measured below.
            timeout=aiohttp.ClientTimeout(total=None),
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

    async def _get(self, url: str, headers: dict[str, str]) -> Fetched | NotModified | FetchFailed:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(url, headers)
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

    async def _follow(self, url: str, headers: dict[str, str]) -> Fetched | NotModified | FetchFailed:
        assert self._session is not None  # noqa: S101 - a context manager's promise
        at = url
        for _ in range(MAX_REDIRECTS + 1):
            if why := refusal(at, allow_private=self._allow_private):
                return FetchFailed(failure=Failure.ADDRESS, detail=f"{at}: {why}")
            async with self._session.get(at, headers=headers, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or not location:
                    return await self._answer(at, response)
                at = urljoin(at, location)
        return FetchFailed(failure=Failure.REDIRECTS, detail=f"{url}: redirected more than {MAX_REDIRECTS} times")

    async def _answer(self, url: str, response: aiohttp.ClientResponse) -> Fetched | NotModified | FetchFailed:
        validators = Validators(etag=response.headers.get("ETag"), last_modified=response.headers.get("Last-Modified"))
        if response.status == 304:
            return NotModified(validators=validators)
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
            )
        body = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            body += piece
            if len(body) > self._max_bytes:
                return FetchFailed(failure=Failure.TOO_LARGE, detail=f"{url}: more than {self._max_bytes} bytes")
        content_type = response.headers.get("Content-Type", "")
        return Fetched(url=url, body=bytes(body), content_type=content_type, validators=validators)


def retry_after(value: str | None, date: str | None) -> int | None:
    """Seconds that a Retry-After asks for, given as seconds or as a date, which is relative to the answer's Date."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return int(value)
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max(0, round((_aware(until) - _aware(since)).total_seconds()))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
