"""Logs: key-value events of ours and of the libraries in one stream, on stderr, with every secret masked."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger


class Mask:
    """Replaces secrets in a rendered line: the token stands in every address of the Bot API."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(filter(None, secrets))

    def __call__(self, _: WrappedLogger, __: str, line: str | EventDict) -> str:
        """The line without secrets."""
        text = str(line)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def terse(record: logging.LogRecord) -> bool:
    """Give the library's reports of Telegram's refusals one line: they are no defects, and no traceback helps."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and record.name.startswith("telegram") and type(error).__module__ == "telegram.error":
        record.msg, record.args = f"{record.getMessage()} ({type(error).__name__}: {error})", ()
        record.exc_info = record.exc_text = None
    return True


def configure(*, level: str, as_json: bool, secrets: Iterable[str] = ()) -> None:
    """Send everything logged from now on to stderr. Called once, by the command that runs."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        tail: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        tail = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail, Mask(secrets)],
        )
    )
    handler.addFilter(terse)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in (
        "httpx",
        "httpcore",
        "apscheduler",
        "telegram",
        "aiosqlite",
        "asyncio",
        "alembic",
        "aiohttp.access",
        "pymorphy3",
    ):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
