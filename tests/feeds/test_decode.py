"""Encodings, declared, lied about and not said (feeds.md 3.2)."""

import pytest

from bot.feeds.decode import to_text, to_utf8

PROSE = "Деталі мирного плану: Україна, НАТО та Євросоюз обговорюють гарантії безпеки, їхній ґрунт і п’ять умов. " * 5
RUSSIAN = "Подробности мирного плана: Украина, НАТО и Евросоюз обсуждают гарантии безопасности и пять условий. " * 5


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "content_type"),
    [
        (PROSE, "utf-8", "utf-8", ""),
        (PROSE, "utf-8", "windows-1251", ""),  # a lie
        (PROSE, "utf-8", "", "text/xml; charset=iso-8859-1"),  # HTTP lies
        (PROSE, "windows-1251", "windows-1251", ""),
        (PROSE, "windows-1251", "utf-8", ""),  # a lie
        (PROSE, "windows-1251", "", "text/xml; charset=windows-1251"),
        (PROSE, "windows-1251", "", ""),
        (PROSE, "windows-1251", "no-such-encoding", ""),
        (PROSE.replace("’", "'"), "koi8-u", "koi8-u", ""),
        (PROSE.replace("’", "'"), "koi8-u", "", ""),
        (RUSSIAN, "koi8-r", "utf-8", ""),
        (PROSE, "utf-16", "utf-16", ""),
        (PROSE, "utf-32", "", ""),
        (PROSE, "utf-8-sig", "windows-1251", ""),
    ],
)
def test_text_is_found_whatever_is_said(text: str, encoding: str, declared: str, content_type: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    body = (head + text).encode(encoding)
    assert to_text(body, content_type) == head + text
    clean = to_utf8(body, content_type).decode()
    assert clean.endswith(text)
    assert "encoding" not in clean


def test_a_few_bad_bytes_cost_only_themselves() -> None:
    body = PROSE.encode() + b"\xff\xfe" + PROSE.encode()
    assert to_text(body) == PROSE + "\ufffd\ufffd" + PROSE


@pytest.mark.parametrize("codec", ["hex", "zip", "idna", "undefined", "rot13", "unicode_escape"])
def test_a_codec_that_is_no_charset_is_no_way_in(codec: str) -> None:
    body = f'<?xml version="1.0" encoding="{codec}"?>'.encode() + PROSE.encode("windows-1251")
    assert PROSE in to_text(body)
