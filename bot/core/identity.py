"""Whether an entry is new, changed, or the same article from elsewhere (feeds.md 3.3)."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.model import Entry

#: Query parameters that say where a click came from, not what is shown.
_TRACKING = ("utm_", "fbclid", "gclid", "yclid", "mc_cid", "mc_eid", "at_medium", "at_campaign")
_PLAIN = re.compile(r"https?://([a-z0-9.-]+/[^?#\s]*)", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def entry_keys(entries: Sequence[Entry]) -> list[str]:
    """The identity of each entry within its feed, hex SHA-256, in the order given.

    The guid; with the link where a document repeats it; the link alone where a document gives every entry the same
    guid; without a guid the normalised link; with neither, title and summary.
    """
    repeated = Counter(entry.guid for entry in entries if entry.guid)
    useless = len(entries) > 1 and len(repeated) == 1 and sum(repeated.values()) == len(entries)
    return [_digest(*_identity(entry, repeated, useless=useless)) for entry in entries]


def _identity(entry: Entry, repeated: Counter[str], *, useless: bool) -> tuple[str, ...]:
    link = canonical_link(entry.link) if entry.link else ""
    if entry.guid and not useless:
        return ("guid", entry.guid) if repeated[entry.guid] == 1 else ("guid+link", entry.guid, link or entry.title)
    if link:
        return ("link", link)
    return ("text", entry.title, entry.summary)


def content_hash(entry: Entry) -> str:
    """A hash of what readers see of an entry."""
    return _digest(entry.title, entry.summary, entry.link)


@lru_cache(maxsize=1 << 12)
def canonical_link(link: str) -> str:
    """One spelling for the addresses of one article; its identity over all feeds."""
    if plain := _PLAIN.fullmatch(link):
        return f"https://{plain[1]}"  # most are
    try:
        parts = urlsplit(link.strip())
        port = parts.port
    except ValueError:
        return link.strip()
    host = (parts.hostname or "").lower()
    if port and port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not pair.lower().startswith(_TRACKING))
    return urlunsplit(("https", host, parts.path or "/", query, ""))


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
