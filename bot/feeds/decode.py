"""The rescue decoder: feeds lie about their encoding (feeds.md 3.2, whose order and numbers these are)."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"""<\?xml[^>]{0,150}?encoding\s*=\s*["']([\w.:-]+)["']""", re.IGNORECASE)
_DECLARATION = re.compile(r"""^(\ufeff?\s*<\?xml[^>]{0,150}?)\s+encoding\s*=\s*["'][^"']*["']""", re.IGNORECASE)
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_HTTP = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_CANDIDATES = ("windows-1251", "koi8-u", "iso-8859-5", "cp866", "windows-1252")
_LETTERS = frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюяыэёъ")
_FREQUENT = frozenset("оаинетвсркулпмдя")
_RUN = re.compile(r"[^\W\d_]+")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 20_000


def to_text(body: bytes, content_type: str = "") -> str:
    """The text of a document, whatever it says its encoding is. Never fails: bad bytes become U+FFFD."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        rescued = body.decode("utf-8", "replace")
    sample = body[:SAMPLE]
    high = sum(byte > 127 for byte in sample) * max(1.0, len(body) / max(1, len(sample)))
    if rescued.count("\ufffd") < 0.05 * max(1.0, high):
        return rescued
    return _best(body, _declared(body, content_type)) or rescued


def to_utf8(body: bytes, content_type: str = "") -> bytes:
    """The document as UTF-8, its XML declaration without an encoding that would no longer be true."""
    return _DECLARATION.sub(r"\1", to_text(body, content_type), count=1).encode("utf-8", "replace")


def _declared(body: bytes, content_type: str) -> str:
    found = _DECLARED.search(body[:200]) or _META.search(body[:2048])
    if found:
        return found[1].decode("ascii", "replace").lower()
    http = _HTTP.search(content_type)
    return http[1].lower() if http else "windows-1251"


def _best(body: bytes, declared: str) -> str | None:
    best, best_score = None, 0.0
    for encoding in dict.fromkeys((declared, *_CANDIDATES)):
        try:
            text = body.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        score = _score(text[:SAMPLE])
        if best is None or score > best_score + 0.05:
            best, best_score = text, score
    return best


def _score(text: str) -> float:
    """How much the letters outside ASCII look like Cyrillic prose."""
    letters = [char for char in text.lower() if ord(char) > 127]
    if not letters:
        return 0.0
    runs = [run for run in _RUN.findall(text) if len(run) > 2 and not run.isascii()]
    odd = sum(not (run.islower() or run.isupper() or run.istitle()) for run in runs) / max(1, len(runs))
    known = sum(char in _LETTERS for char in letters) / len(letters)
    return known + sum(char in _FREQUENT for char in letters) / len(letters) - 2 * odd
