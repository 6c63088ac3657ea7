"""Precision and recall of the tags that are read from recorded pages, and what reading one costs.

    python -m tests.bench.pages FOLDER [SELECTORS.toml]

FOLDER holds pages as `*/NAME_DATE.html.gz` and `expected.json`: for each, by its path, the `url` and the `topics` that a
parser written for that publisher reads from it. Tags are compared in the normal form; a topic that is a comma list is
the list. The first table needs no knowledge of any publisher. With SELECTORS (`NAME = "css"`), a second one follows,
as the catalogue's `tag_selector` would have it. A page "states" its topics when one of them stands in it as an item of
a list in `meta` or JSON-LD, or as the whole text of a link or label: figures are given for all pages, and for those.

A third of the publishers, by a hash of their names, is HELD OUT: their misses are counted and not listed, because what the
reader is mended by says little of the publishers to come. Mend it by the others alone, and believe the held out. (Of the 81
publishers that the reader was first mended by, all were looked at: for them the two rows say nothing of that.)
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
import tomllib
from collections import Counter, defaultdict
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from bot.core.model import Fetched, PageFacts, Validators
from bot.core.tags import normalise
from bot.feeds.decode import to_text
from bot.feeds.markup import Page
from bot.feeds.page import read_page

say = Console(markup=False, highlight=False, soft_wrap=True).print


class Read(NamedTuple):
    """One page: what it was said to be about, what was read, and in how many seconds."""

    name: str
    publisher: str
    topics: frozenset[str]
    found: frozenset[str]
    stated: frozenset[str]  #: those of the topics that stand in the page as a tag might
    facts: PageFacts
    seconds: float

    @property
    def held_out(self) -> bool:
        """Whether nobody is to mend the reader by this page."""
        return sha256(self.publisher.encode()).digest()[0] % 3 == 0


def main() -> None:
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    _report("without selectors", _read_all(folder, {}))
    if len(sys.argv) > 2:
        _report("with selectors", _read_all(folder, tomllib.loads(Path(sys.argv[2]).read_text("utf-8"))))


def _read_all(folder: Path, selectors: dict[str, str]) -> list[Read]:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return [_read(folder, name, said, selectors) for name, said in sorted(expected.items())]


def _read(folder: Path, name: str, said: dict[str, object], selectors: dict[str, str]) -> Read:
    body = gzip.decompress((folder / name).read_bytes())
    page = Fetched(url=str(said["url"]), body=body, content_type="text/html", validators=Validators())
    publisher = Path(name).name.split("_")[0]
    start = time.perf_counter()
    facts = read_page(page, selectors.get(publisher, ""))
    seconds = time.perf_counter() - start
    topics = frozenset(slug for topic in said["topics"] for part in topic.split(",") if (slug := normalise(part)))
    found = frozenset(normalise(tag) for tag in facts.tags)
    return Read(name, publisher, topics, found, topics & _items(page), facts, seconds)


def _items(page: Fetched) -> set[str]:
    """Everything in a page that might be a tag."""
    read = Page(to_text(page.body), page.url)
    stated = [text for texts in read.metas.values() for text in texts] + read.stated("keywords")
    items = [part for text in stated for part in re.split("[,;]", unescape(text))]
    shown = read.root.css("a,li,span,button,h2") if read.root is not None else []
    return {normalise(item) for item in items + [node.text()[:100] for node in shown]}


def _report(title: str, pages: list[Read]) -> None:
    by_publisher = defaultdict(list)
    for page in pages:
        by_publisher[page.publisher].append(page)
    say(
        f"{title}\n{'publisher':26}{'pages':>6}{'topics':>8}{'right':>7}{'wrong':>7}{'missed':>8}{'prec.':>8}{'recall':>8}"
    )
    for publisher, own in sorted(by_publisher.items()):
        _row(publisher + " *" * own[0].held_out, own)
    for which, some in (("ALL PAGES", pages), ("PAGES THAT STATE THEM", [page for page in pages if page.stated])):
        _row(which, some)
        _row("  seen", [page for page in some if not page.held_out])
        _row("  held out *", [page for page in some if page.held_out])
    say("\nmissed or wrong, of those seen")
    for page in pages:
        if not page.held_out:
            _list_faults(page)
    took = sorted(page.seconds * 1000 for page in pages)
    say(f"\nms a page: median {took[len(took) // 2]:.1f}, p99 {took[int(len(took) * 0.99)]:.1f}, most {took[-1]:.1f}")
    filled = Counter(name for page in pages for name in PageFacts.__slots__ if getattr(page.facts, name))
    say("stated:", ", ".join(f"{name} {filled[name]}" for name in PageFacts.__slots__), f"of {len(pages)}\n")


def _list_faults(page: Read) -> None:
    for fault, tags in (
        ("wrong", page.found - page.topics),
        ("missed, stated there", page.stated - page.found),
        ("missed, not stated as a tag", page.topics - page.found - page.stated),
    ):
        if tags:
            say(f"  {page.name.removesuffix('.html.gz'):38}{fault}: {', '.join(sorted(tags))}")


def _row(name: str, pages: list[Read]) -> None:
    right = sum(len(page.found & page.topics) for page in pages)
    found, topics = sum(len(page.found) for page in pages), sum(len(page.topics) for page in pages)
    say(
        f"{name:26}{len(pages):6}{topics:8}{right:7}{found - right:7}{topics - right:8}"
        f"{right / max(1, found):8.3f}{right / max(1, topics):8.3f}"
    )


if __name__ == "__main__":
    main()
