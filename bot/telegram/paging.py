"""Lists in pages: ten entries a message, and buttons that turn the page in the same message.

A button says which list, of what, and which page: `list:latest:12:2`. Nothing is kept in memory, so buttons outlive a
restart; a page that is not there any more is the last one that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bot.core.model import Button

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 10
#: Entries of the longest list: ten pages are more than anybody turns.
MOST = 100
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class View:
    """What a message shows."""

    html: str
    rows: Sequence[Sequence[Button]] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list one is; pages are counted from 1."""

    page: int
    pages: int
    size: int

    def cut(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries of this page."""
        return entries[(self.page - 1) * self.size : self.page * self.size]


def place(page: int, total: int, size: int = PAGE) -> Place:
    """The page that is nearest to the one asked for."""
    pages = max(1, -(-total // size))
    return Place(min(max(1, page), pages), pages, size)


def turning(at: Place, data: str) -> list[list[Button]]:
    """The row that turns pages, none for a single one; `data` is what stands before the page's number."""
    if at.pages == 1:
        return []
    row = [Button("‹", data=f"{data}{at.page - 1}")] if at.page > 1 else []
    row.append(Button(f"{at.page}/{at.pages}", data=f"{data}{at.page}"))
    row += [Button("›", data=f"{data}{at.page + 1}")] if at.page < at.pages else []
    return [row]
