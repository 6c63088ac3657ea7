"""The catalogue of feeds as OPML, in and out. `feeds.toml` stays the one truth; an import adds to its end."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from bot.feeds.opml import OpmlError, OpmlFeed, read, write
from bot.settings import is_web_address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.core.model import Feed
    from bot.settings import Config


def export_opml(config: Config, target: Path, added: Iterable[Feed] = ()) -> int:
    """Write every feed of the catalogue, and those added by chat, to `target`; returns their number."""
    feeds = [OpmlFeed(title=feed.title or feed.name, url=str(feed.url), folder=feed.folder) for feed in config.feeds]
    feeds += [OpmlFeed(title=feed.title, url=feed.url, folder=()) for feed in added]
    target.write_bytes(write(feeds))
    return len(feeds)


def import_opml(config: Config, source: Path) -> tuple[int, int, list[str]]:
    """Add the feeds of `source` to feeds.toml: (added, there already, addresses that no feed can have).

    Raises OpmlError.

    The file is replaced in one step: a crash leaves the old one whole.
    """
    try:
        listed = read(source.read_bytes())
    except OpmlError as error:
        raise OpmlError(f"{source}: {error}") from None
    known = {str(feed.url) for feed in config.feeds}
    names = {feed.name for feed in config.feeds}
    blocks: list[str] = []
    refused: list[str] = []
    already = 0
    for feed in listed:
        if feed.url in known:
            already += 1
            continue
        if not is_web_address(feed.url):
            refused.append(feed.url)
            continue
        known.add(feed.url)
        name = _name(feed.title or feed.url, names)
        names.add(name)
        blocks.append(_block(name, feed))
    if blocks:
        catalogue = config.folder / "feeds.toml"
        old = catalogue.read_text(encoding="utf-8").rstrip()
        new = catalogue.with_suffix(".toml.new")
        new.write_text("\n\n".join([old, *blocks]).lstrip() + "\n", encoding="utf-8")
        new.replace(catalogue)
    return len(blocks), already, refused


def _block(name: str, feed: OpmlFeed) -> str:
    lines = [
        "[[feed]]",
        f"name = {_quoted(name)}",
        f"url = {_quoted(feed.url)}",
        f"title = {_quoted(feed.title or name)}",
    ]
    if feed.folder:
        lines.append(f"folder = [{', '.join(map(_quoted, feed.folder))}]")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's is one, but for the characters that nobody can see."""
    return json.dumps("".join(char for char in text if char.isprintable()), ensure_ascii=False)


def _name(title: str, taken: set[str]) -> str:
    """A kebab name that is not taken."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    base = re.sub(r"[\W_]+", "-", folded).strip("-")[:40] or "feed"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
