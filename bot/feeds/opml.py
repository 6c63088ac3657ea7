"""OPML: lists of feeds, in and out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNSAFE = re.compile(rb"<!(ENTITY|DOCTYPE)", re.IGNORECASE)


class OpmlError(Exception):
    """The file is no OPML; the text says where it stops being one."""


@dataclass(frozen=True, slots=True)
class OpmlFeed:
    """One feed of a list, and the folders it stands in."""

    title: str
    url: str
    folder: tuple[str, ...] = ()


def read(text: bytes) -> list[OpmlFeed]:
    """The feeds of an OPML file, in its order. Raises OpmlError."""
    if _UNSAFE.search(text):
        raise OpmlError("the file declares a document type or entities, which no OPML needs")
    try:
        root = ET.fromstring(text)  # noqa: S314 - see above
    except ET.ParseError as error:
        raise OpmlError(f"not well-formed XML: {error}") from None
    body = root.find("body")
    if root.tag.lower() != "opml" or body is None:
        raise OpmlError("not an OPML file: it has no <opml> with a <body>")
    return list(_feeds(body, ()))


def _feeds(outline: ET.Element, folder: tuple[str, ...]) -> Iterator[OpmlFeed]:
    for child in outline.findall("outline"):
        title = child.get("title") or child.get("text") or ""
        if url := child.get("xmlUrl"):
            yield OpmlFeed(title, url, folder)
        else:
            yield from _feeds(child, (*folder, title) if title else folder)


def write(feeds: Sequence[OpmlFeed]) -> bytes:
    """An OPML 2.0 file of these feeds, in their folders."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = "Tagwire feeds"
    folders: dict[tuple[str, ...], ET.Element] = {(): ET.SubElement(root, "body")}
    for feed in feeds:
        for depth in range(1, len(feed.folder) + 1):
            path = feed.folder[:depth]
            if path not in folders:
                folders[path] = ET.SubElement(folders[path[:-1]], "outline", text=path[-1], title=path[-1])
        ET.SubElement(folders[feed.folder], "outline", type="rss", text=feed.title, title=feed.title, xmlUrl=feed.url)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
