"""Who in the newsroom may do what: each role may also do what those before it may (reader-ux.md 6)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody of the newsroom is, least first."""

    AUTHOR = "author"  #: writes drafts
    EDITOR = "editor"  #: also works on the drafts of others, and sees how the service does
    PUBLISHER = "publisher"  #: also sends, stops, corrects and recalls
    ADMIN = "admin"  #: also runs the feeds and says who is who

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        return _RANK[self] >= _RANK[needed]


_RANK = {role: rank for rank, role in enumerate(Role)}
