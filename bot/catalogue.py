"""The catalogue of feeds as OPML, in and out. `feeds.toml` stays the one truth; an import adds to its end."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from bot.feeds.opml import OpmlError, OpmlFeed, read, write

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Config


def export_opml(config: Config, target: Path) -> int:
    """Write every feed of the catalogue to `target`; returns their number."""
    feeds = [OpmlFeed(title=feed.title or feed.name, url=str(feed.url), folder=()) for feed in config.feeds]
    target.write_bytes(write(feeds))
    return len(feeds)


def import_opml(config: Config, source: Path) -> tuple[int, int]:
    """Add the feeds of `source` to feeds.toml: (added, there already, by address). Raises OpmlError.

    The file is replaced in one step: a crash leaves the old one whole.
    """
    try:
        listed = read(source.read_bytes())
    except OpmlError as error:
        raise OpmlError(f"{source}: {error}") from None
    known = {str(feed.url) for feed in config.feeds}
    names = {feed.name for feed in config.feeds}
    blocks, already = [], 0
    for feed in listed:
        if feed.url in known:
            already += 1
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
    return len(blocks), already


def _block(name: str, feed: OpmlFeed) -> str:
    # A JSON string is a TOML basic string as long as it stays ASCII-escaped.
    lines = ["[[feed]]", f"name = {json.dumps(name)}", f"url = {json.dumps(feed.url)}"]
    lines.append(f"title = {json.dumps(feed.title or name, ensure_ascii=False)}")
    if feed.folder:
        lines.append(f"# from the folder {' / '.join(part.replace(chr(10), ' ') for part in feed.folder)}")
    return "\n".join(lines)


def _name(title: str, taken: set[str]) -> str:
    """A kebab name that is not taken."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    base = re.sub(r"[\W_]+", "-", folded).strip("-")[:40] or "feed"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
