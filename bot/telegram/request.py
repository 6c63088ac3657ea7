"""The transport under the Telegram library: aiohttp behind its `BaseRequest` (telegram.md 2.2, 4).

An error says whether Telegram can have seen the request: `NotSentError` surely not, `BrokenError` and TimedOut perhaps.

The token stands in every address of the Bot API, so the library never gets it: it works with HIDDEN, which also stands
in its reprs, logs and errors, and the token takes its place here, on the way out. Errors of aiohttp carry addresses
and the proxy's password; none of them leaves this module, not even as a cause or context.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest
from yarl import URL

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace
    from telegram._utils.types import ODVInput
    from telegram.request import RequestData

#: Seconds. A connection counts from the first packet to the end of the TLS handshake.
CONNECT_S, READ_S, WRITE_S, POOL_S = 5.0, 10.0, 10.0, 30.0
#: A file of 50 MB, the most that Telegram takes, over a slow line.
WRITE_FILES_S = 300.0
#: What the library holds for a token.
HIDDEN = "hidden"
#: What is no answer of the Bot API is a proxy's, whatever its status: its 403 must not retire a chat, nor its 404 the
#: token.
NOT_TELEGRAM = (HTTPStatus.BAD_GATEWAY, b"{}")
JSON = {"Content-Type": "application/json"}
#: JSON costs a third of a form for Cyrillic, which a form writes with six characters for each letter.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class NotSentError(NetworkError):
    """The request never reached Telegram: repeating it cannot repeat a message."""


class BrokenError(NetworkError):
    """The connection broke after the request left: Telegram may have seen it."""


class AiohttpRequest(BaseRequest):
    """One keep-alive session. `connections` calls at once; `proxy` as http://user:password@host:port."""

    def __init__(self, *, token: str, connections: int, proxy: str = "") -> None:
        self._token = token
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._addresses: dict[str, URL] = {}
        address = URL(proxy) if proxy else None
        self._proxy = address.with_user(None) if address else None
        self._proxy_headers: dict[str, str] = {}
        if address and address.user:
            said = aiohttp.encode_basic_auth(address.user, address.password or "")
            self._proxy_headers = {"Proxy-Authorization": said}

    @property
    def read_timeout(self) -> float | None:
        """Seconds; the library adds it to a long poll's own time."""
        return READ_S

    async def initialize(self) -> None:
        """Open the session; a second call changes nothing."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=self._connections, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
            )

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
        files = request_data is not None and request_data.contains_files
        read = _seconds(read_timeout, READ_S)
        write = _seconds(write_timeout, WRITE_FILES_S if files else WRITE_S)
        connect, pool = _seconds(connect_timeout, CONNECT_S), _seconds(pool_timeout, POOL_S)
        timeout = aiohttp.ClientTimeout(
            # aiohttp has no time for writing alone; `connect` there is the wait for a free connection and the making.
            total=None if None in {read, write, pool} else (read or 0) + (write or 0) + (pool or 0),
            connect=pool,
            sock_connect=connect,
            sock_read=read,
        )
        fault: NetworkError
        try:
            async with self._session.request(
                method,
                self._address(url),
                timeout=timeout,
                allow_redirects=False,  # whoever redirects is not Telegram, and would get the token
                proxy=self._proxy,
                **self._content(url, request_data),
            ) as response:
                status, body = response.status, await response.read()
        except NotSentError as error:
            fault = NotSentError(error.message)
        except aiohttp.ConnectionTimeoutError:
            fault = NotSentError("no connection in time")
        except TimeoutError:
            fault = TimedOut("no answer in time")
        except Exception as error:  # noqa: BLE001 - even an error nobody foresaw may carry the address
            fault = BrokenError(f"the connection broke ({type(error).__name__})")
        else:
            return (status, body) if method != "POST" or _is_telegrams(body) else NOT_TELEGRAM
        raise fault  # not in the handlers above, where Python would keep aiohttp's error as its context

    def _address(self, url: str) -> URL:
        """The address with the token in it. Parsed once for each method of the Bot API."""
        known = self._addresses.get(url)
        if known is None:
            known = URL(url.replace(HIDDEN, self._token, 1), encoded=True)
            if len(self._addresses) < 200:
                self._addresses[url] = known
        return known

    def _content(self, url: str, data: RequestData | None) -> dict[str, Any]:
        content: dict[str, Any] = {}
        if data is not None and data.contains_files:
            content["data"] = _form(data)
        elif data is not None:
            # A lone surrogate, which no encoding can write, must not cost the message.
            content["data"] = _encode(data.parameters).encode("utf-8", "replace")
            content["headers"] = JSON
        if self._proxy_headers:
            # Over TLS only the proxy may see them, which is asked for a tunnel; else it reads the request itself.
            where = "proxy_headers" if url.startswith("https:") else "headers"
            content[where] = content.get(where, {}) | self._proxy_headers
        return content


class _Connector(aiohttp.TCPConnector):
    """Whatever goes wrong before there is a connection (DNS, TCP, TLS, a proxy's refusal), nothing was sent."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own name
    ) -> Connection:
        """A connection. Raises NotSentError, and TimeoutError, which the session makes a ConnectionTimeoutError."""
        try:
            return await super().connect(req, traces, timeout)
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise NotSentError(f"no connection ({type(error).__name__})") from None


def _is_telegrams(body: bytes) -> bool:
    """Whether this is an answer of the Bot API: an object that says `ok`, true or false."""
    return body.startswith(b"{") and b'"ok"' in body


def _seconds(value: ODVInput[float], default: float) -> float | None:
    return value if isinstance(value, int | float) or value is None else default


def _form(data: RequestData) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form
