"""What a user can do wrong: one clear line for each fault, the contract's exit status, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.feeds.opml import read

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TOKEN = "42:a-token-of-nothing-at-all-0000000000000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def tagwire(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAGWIRE_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder, env={**clean, "PYTHONPATH": str(ROOT), **environ}, text=True, capture_output=True, check=False,
        timeout=60,
    )  # fmt: skip


def faults(done: subprocess.CompletedProcess[str], status: int) -> list[str]:
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("tagwire: ") for line in lines), lines
    return [line.removeprefix("tagwire: ") for line in lines]


def test_run_without_a_token_names_the_variable_and_the_demo(folder: Path) -> None:
    (line,) = faults(tagwire(folder, "run"), 2)
    assert "TAGWIRE_TOKEN" in line
    assert "make demo" in line
    assert "tagwire demo" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "--roles", "poll,sing"), "--roles: there is no role 'sing'; there are poll, deliver, chat, web"),
        (("run", "--roles", ""), "--roles: there is no role ''; there are poll, deliver, chat, web"),
        (("run", "--roles", "web"), "TAGWIRE_WEB__PORT is 0"),
        (("run", "--roles", "poll,chat"), "TAGWIRE_TOKEN is not set"),
        (("copy", "--from", "mysql://x", "--to", "sqlite:///y"), "--from: should be sqlite:///PATH or postgresql://"),
        (("copy", "--from", "sqlite:///x", "--to", "y"), "--to: should be sqlite:///PATH or postgresql://"),
        (("copy", "--from", "sqlite:///x", "--to", "sqlite:///x"), "--to: is the same database as --from"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(words: tuple[str, ...], says: str, folder: Path) -> None:
    (line,) = faults(tagwire(folder, *words), 2)
    assert line.startswith(says)


def test_copy_says_what_is_not_there_and_what_is_not_empty(folder: Path) -> None:
    (line,) = faults(tagwire(folder, "copy", "--from", "sqlite:///no.db", "--to", "sqlite:///new.db"), 1)
    assert line == "no.db: there is no such database"
    assert not (folder / "new.db").exists()
    tagwire(folder, "migrate", TAGWIRE_DATABASE="sqlite:///old.db")
    done = tagwire(folder, "copy", "--from", "sqlite:///old.db", "--to", "sqlite:///new.db", "--json")
    assert faults(done, 0) == []
    assert json.loads(done.stdout)["rows"] == 0


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TAGWIRE_TOKEN": "nonsense"}, ["TAGWIRE_TOKEN: does not look like a token"]),
        ({"TAGWIRE_TOKEN_FILE": "/no/such/file"}, ["TAGWIRE_TOKEN_FILE: /no/such/file: cannot be read"]),
        ({"TAGWIRE_ADMINS": "1,me"}, ["TAGWIRE_ADMINS: should be Telegram user ids"]),
        (
            {"TAGWIRE_FECH__TIMEOUT": "5", "TAGWIRE_FETCH__TIMEOUT": "soon", "TAGWIRE_WEB__PORT": "99999"},
            ["TAGWIRE_FECH__TIMEOUT: there is no such setting; did you mean TAGWIRE_FETCH__TIMEOUT?",
             "TAGWIRE_FETCH__TIMEOUT: should be a duration", "TAGWIRE_WEB__PORT: should be less than"],
        ),
        ({"TAGWIRE_DATABASE": "mysql://x"}, ["TAGWIRE_DATABASE: should be sqlite:///PATH or postgresql://"]),
        ({"TAGWIRE_CONFIG": "/no/such/folder"}, ["/no/such/folder: there is no such folder"]),
        ({"TAGWIRE_READERS__TIME_ZONE": "Kiev/Europe"}, ["TAGWIRE_READERS__TIME_ZONE: 'Kiev/Europe' is not a time zone"]),
    ],
)  # fmt: skip
def test_a_wrong_environment(environ: dict[str, str], says: list[str], folder: Path) -> None:
    lines = faults(tagwire(folder, "check", **environ), 2)
    assert len(lines) == len(says)
    for line, start in zip(sorted(lines), sorted(says), strict=True):
        assert line.startswith(start)


def test_every_fault_of_every_file_is_told_at_once(folder: Path) -> None:
    config = folder / "config"
    (config / "tagwire.toml").write_text("[fetch]\ntimeuot = 5\n")
    (config / "feeds.toml").write_text(
        '[[feed]]\nname = "a"\nurl = "https://e.org/1"\n[[feed]]\nname = "a"\nurl = "https://e.org/2"\n'
        '[[feed]]\nname = "b"\nurl = "ftp://e.org"\nevry = "5m"\n'
    )
    (config / "tags.toml").write_text('[nato]\nnames = { en = ["NATO"] }\n[eu]\nnaames = {}\n')
    said = "\n".join(faults(tagwire(folder, "check"), 2))
    for part in (
        "tagwire.toml: fetch.timeuot: there is no such key; did you mean timeout?",
        "feeds.toml: feed 'a': two feeds have this name",
        "feeds.toml: feed 'b': url: 'ftp://e.org' is not an http or https address",
        "feeds.toml: feed 'b': evry: there is no such key; did you mean every?",
        "tags.toml: [eu]: naames: there is no such key; did you mean names?",
    ):
        assert part in said
    assert faults(tagwire(folder, "run", TAGWIRE_TOKEN=TOKEN), 2)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("tagwire.toml", b"\xff\xfe[", "is not UTF-8 text"),
        ("feeds.toml", b"[[feed]\n", "(at line 1, column 7)"),
        ("tags.toml", None, "there is no such file"),
        ("tagwire.toml", "folder", "cannot be read: Is a directory"),
        ("tagwire.toml", b'token = "1:abc"\n', "a secret does not belong in a file"),
    ],
)
def test_an_unreadable_file(name: str, content: bytes | str | None, says: str, folder: Path) -> None:
    path = folder / "config" / name
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    (line,) = faults(tagwire(folder, "check"), 2)
    assert name in line
    assert says in line


def test_a_database_that_is_newer(folder: Path) -> None:
    assert tagwire(folder, "migrate").returncode == 0
    with sqlite3.connect(folder / "data" / "tagwire.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for words in (["run"], ["stats"], ["check"]):
        (line,) = faults(tagwire(folder, *words, TAGWIRE_TOKEN=TOKEN), 1)
        assert "data/tagwire.db: its schema (9999) is newer" in line


@pytest.mark.parametrize(
    ("database", "says"),
    [
        # /proc is read-only even for root, whom no permission stops.
        ("sqlite:////proc/t.db", "/proc/t.db: cannot be opened: unable to open database file"),
        ("sqlite:////proc/nowhere/t.db", "/proc/nowhere: the folder cannot be made"),
        ("sqlite:///garbage.db", "garbage.db: cannot be opened: file is not a database"),
        ("postgresql://user:secret@127.0.0.1:1/x", "postgresql://user:***@127.0.0.1:1/x: cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_used(database: str, says: str, folder: Path) -> None:
    (folder / "garbage.db").write_text("garbage " * 100)
    (line,) = faults(tagwire(folder, "stats", TAGWIRE_DATABASE=database), 1)
    assert line.startswith(says)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use(taken: int, folder: Path) -> None:
    (line,) = faults(tagwire(folder, "demo", "--no-feeds", "--port", str(taken)), 1)
    assert f"cannot listen at 127.0.0.1:{taken}: Address already in use" in line
    (line,) = faults(tagwire(folder, "run", TAGWIRE_TOKEN=TOKEN, TAGWIRE_WEB__PORT=str(taken)), 1)
    assert f"TAGWIRE_WEB__PORT: cannot listen at 127.0.0.1:{taken}" in line


def test_files_that_cannot_be_read_or_written(folder: Path) -> None:
    (folder / "bad.opml").write_text("<opml>")
    assert "bad.opml: not well-formed XML" in faults(tagwire(folder, "feeds", "import", "bad.opml"), 1)[0]
    assert "none.opml: No such file" in faults(tagwire(folder, "feeds", "import", "none.opml"), 1)[0]
    assert "no/such.opml: No such file" in faults(tagwire(folder, "feeds", "export", "no/such.opml"), 1)[0]
    assert "bad.opml: exists already" in faults(tagwire(folder, "backup", "bad.opml"), 1)[0]
    assert "no/copy.db: the copy failed" in faults(tagwire(folder, "backup", "no/copy.db"), 1)[0]


def test_a_feed_nobody_has(folder: Path) -> None:
    (line,) = faults(tagwire(folder, "poll", "no-such"), 2)
    assert line.startswith("no feed is called 'no-such'")


def test_a_wrong_command_line(folder: Path) -> None:
    for words in (["nonsense"], ["poll", "--nonsense"], ["demo", "--port", "x"], ["backup"]):
        done = tagwire(folder, *words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "Usage" in done.stderr


def test_the_catalogue_goes_out_and_comes_in_as_opml(folder: Path) -> None:
    assert tagwire(folder, "feeds", "export", "all.opml").returncode == 0
    known = tagwire(folder, "feeds", "import", "all.opml").stdout
    assert "0 feeds added" in known
    (folder / "more.opml").write_text(
        '<opml version="2.0"><body><outline text="Війна &amp; мир" xmlUrl="https://e.org/uk?a=1&amp;b=2"/></body></opml>'
    )
    (folder / "bad.opml").write_text(
        '<opml version="2.0"><body><outline text="a&#127;b" xmlUrl="ftp://e.org/"/><outline text="x" xmlUrl="no"/></body></opml>'
    )
    refused = tagwire(folder, "feeds", "import", "bad.opml")
    assert (refused.returncode, refused.stderr.count("is not an http or https address")) == (0, 2)
    assert tagwire(folder, "check").returncode == 0
    assert "1 feeds added" in tagwire(folder, "feeds", "import", "more.opml").stdout
    assert tagwire(folder, "check").returncode == 0
    assert 'url = "https://e.org/uk?a=1&b=2"' in (folder / "config" / "feeds.toml").read_text()


def test_nested_folders_survive_the_round_trip(folder: Path) -> None:
    (folder / "config" / "feeds.toml").write_text("")
    (folder / "in.opml").write_text(
        '<opml version="2.0"><body><outline text="Україна"><outline text="Агентства &quot;А&quot;">'
        '<outline text="One" xmlUrl="https://e.org/1"/><outline text="Two" xmlUrl="https://e.org/2"/></outline>'
        '<outline text="Three" xmlUrl="https://e.org/3"/></outline><outline text="Four" xmlUrl="https://e.org/4"/></body></opml>'
    )
    assert "4 feeds added" in tagwire(folder, "feeds", "import", "in.opml").stdout
    assert tagwire(folder, "feeds", "export", "out.opml").returncode == 0
    assert sorted(map(str, read((folder / "out.opml").read_bytes()))) == sorted(
        map(str, read((folder / "in.opml").read_bytes()))
    )


def test_a_backup_of_an_empty_database_is_a_database(folder: Path) -> None:
    assert "copy.db:" in tagwire(folder, "backup", "copy.db").stdout
    done = tagwire(folder, "stats", "--json", TAGWIRE_DATABASE="sqlite:///copy.db")
    assert '"articles": 0' in done.stdout


def test_help_is_instant_because_nothing_heavy_is_imported(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", "--help"],
        cwd=ROOT, text=True, capture_output=True, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"telegram", "aiohttp", "sqlalchemy", "feedparser", "pydantic", "apscheduler", "babel", "structlog"}
    assert loaded & heavy == set()
    assert "poll" in done.stdout
