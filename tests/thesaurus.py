"""The thesaurus that ships."""

import tomllib
from pathlib import Path

from bot.core.thesaurus import Thesaurus, ThesaurusEntry

TAGS = Path(__file__).parents[1] / "config" / "tags.toml"
_KEYS = {"title": "titles", "names": "names", "signs": "signs", "unlike": "unlike", "aliases": "aliases"}


def shipped() -> Thesaurus:
    """Built as the service builds it; a key that it does not know raises KeyError."""
    tables = tomllib.loads(TAGS.read_text(encoding="utf-8"))
    return Thesaurus.build(
        [ThesaurusEntry(slug, **{_KEYS[key]: value for key, value in table.items()}) for slug, table in tables.items()]
    )
