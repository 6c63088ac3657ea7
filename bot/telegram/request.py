"""The transport under the Telegram library: aiohttp behind its `BaseRequest` (telegram.md 2.2, 4).

An error says whether Telegram can have seen the request: `NotSentError` surely not, `BrokenError` and TimedOut perhaps.
No error, cause or repr carries the address, because the token stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest

if TYPE_CHECKING:
    from telegram._utils.types import ODVInput
    from telegram.request import RequestData

CONNECT_S, READ_S, WRITE_S, POOL_S = 5.0, 10.0, 10.0, 30.0


class NotSentError(NetworkError):
    """The request never reached Telegram: repeating it cannot repeat a message."""


class BrokenError(NetworkError):
    """The connection broke after the request left: Telegram may have seen it."""


class AiohttpRequest(BaseRequest):
    """One keep-alive session. `connections` calls at once; `proxy` as http://user:password@host:port."""

    def __init__(self, *, connections: int, proxy: str | None = None) -> None:
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds; the library adds it to a long poll's own time."""
        return READ_S

    async def initialize(self) -> None:
        """Open the session; a second call changes nothing."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def shutdown(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Call Telegram: (HTTP status, body). Raises NotSentError, BrokenError or TimedOut."""
        if self._session is None or self._session.closed:
            raise NotSentError("the connection is not open")
        read, write = _seconds(read_timeout, READ_S), _seconds(write_timeout, WRITE_S)
        timeout = aiohttp.ClientTimeout(
            total=None if read is None or write is None else read + write + POOL_S,
            connect=_seconds(pool_timeout, POOL_S),
            sock_connect=_seconds(connect_timeout, CONNECT_S),
            sock_read=read,
        )
        try:
            async with self._session.request(
                method, url, data=_body(request_data), timeout=timeout, proxy=self._proxy
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise NotSentError(f"no connection ({type(error).__name__})") from None
        except TimeoutError:
            raise TimedOut("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenError(f"the connection broke ({type(error).__name__})") from None


def _seconds(value: ODVInput[float], default: float) -> float | None:
    return value if isinstance(value, int | float) or value is None else default


def _body(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form
