"""The commands of `tagwire`. Everything heavy is imported inside the command that needs it, so that help is instant.

Exit status: 0 done; 1 it failed while running; 2 the command line or the configuration is wrong. Never a traceback for
something a user can cause.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from bot.settings import Config

FAILED, WRONG = 1, 2
T = TypeVar("T")

app = typer.Typer(
    name="tagwire",
    help="News alerts on Telegram: follow hashtags, get one card per article.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
feeds_app = typer.Typer(no_args_is_help=True, help="The catalogue of feeds as OPML.", rich_markup_mode=None)
app.add_typer(feeds_app, name="feeds")

Folder = Annotated[
    Path | None,
    typer.Option("--config", metavar="DIR", help="Folder of tagwire.toml, feeds.toml, tags.toml.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def common(context: typer.Context, config: Folder = None) -> None:
    """News alerts on Telegram: follow hashtags, get one card per article."""
    context.obj = config


@app.command()
def run(
    context: typer.Context,
    config: Folder = None,
    roles: Annotated[
        str, typer.Option(metavar="ROLES", help="What this worker does, of poll,deliver,chat,web.")
    ] = "poll,deliver,chat,web",
) -> None:
    """Run the service: polls, delivers, answers, until SIGTERM. On PostgreSQL any number of them."""
    loaded = _load(context, config)
    chosen = _roles(roles, loaded)
    token = _token(loaded) if chosen & {"deliver", "chat"} else ""
    with _reported():
        from bot.app import preload  # noqa: PLC0415
        from bot.service import Service  # noqa: PLC0415

        if token:
            preload()

        async def serve() -> None:
            service = Service(loaded, token, roles=chosen)
            _stop_on_signals(service.stop)
            await service.run()

        _logs(loaded, token)
        _run(serve())


@app.command()
def demo(
    context: typer.Context,
    config: Folder = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 picks a free one.", min=0, max=65535)] = 8080,
    no_feeds: Annotated[bool, typer.Option("--no-feeds", help="Only the bundled sample newsroom.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Go on from this file, and keep everything there.")] = None,
) -> None:
    """Run the bot in a local Telegram with a sample newsroom: no token, no account."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import preload  # noqa: PLC0415
        from bot.demo import Demo  # noqa: PLC0415

        preload()

        async def play() -> None:
            demonstration = Demo(loaded, host=host, port=port, with_feeds=not no_feeds, keep=keep)
            _stop_on_signals(demonstration.stop)
            await demonstration.run(ready=lambda url: print(f"playground: {url}/", flush=True))

        _logs(loaded, "")
        _run(play())


@app.command()
def poll(
    context: typer.Context,
    feed: Annotated[list[str] | None, typer.Argument(help="Names of feeds; all of them when none is named.")] = None,
    config: Folder = None,
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing; print what would be sent.")] = False,
) -> None:
    """Poll feeds once and now, store new articles and queue their alerts."""
    loaded = _load(context, config)
    names = tuple(dict.fromkeys(feed or ()))
    with _reported():
        from bot import app as service  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        started = time.monotonic()
        if dry_run:
            rehearsed = _run(service.rehearse(loaded, names))
            totals, alerts = rehearsed.totals, rehearsed.alerts
            if not as_json:
                for chat_id, thread_id, article in alerts:
                    place = f"{chat_id}/{thread_id}" if thread_id else str(chat_id)
                    print(f"would send to {place}: {article.title} <{article.link}>")
        else:
            done = 0
            with _progress(None, shown=not as_json, doing="polling") as advance:

                def told(polled: Any, of: int) -> None:
                    nonlocal done
                    done += 1
                    advance(done, of)
                    if polled.detail:
                        print(f"{polled.feed}: {polled.detail}", file=sys.stderr)

                totals = _run(service.poll_once(loaded, names, on_polled=told))
        _print(_counts(totals, started), as_json=as_json)


@app.command()
def deliver(context: typer.Context, config: Folder = None, as_json: AsJson = False) -> None:
    """Deliver what is queued and due, then exit."""
    loaded = _load(context, config)
    token = _token(loaded)
    with _reported():
        from bot.app import deliver_once  # noqa: PLC0415

        _logs(loaded, token, quiet=True)
        started = time.monotonic()
        _print(_counts(_run(deliver_once(loaded, token)), started), as_json=as_json)


@app.command()
def check(
    context: typer.Context,
    config: Folder = None,
    audit: Annotated[bool, typer.Option("--audit", help="Only follow the chain of the audit.")] = False,
) -> None:
    """Load the configuration, open the database, read feeds and tags; print every problem at once."""
    if audit:
        _check_audit(_load(context, config))
        return
    from bot.settings import ConfigError  # noqa: PLC0415

    problems: list[str] = []
    status = 0
    try:
        loaded = _read_config(context, config)
    except ConfigError as error:
        problems, status = list(error.faults), WRONG
    else:
        with _reported():
            from bot.app import examine  # noqa: PLC0415

            _logs(loaded, "", quiet=True)
            report = _run(examine(loaded))
            problems, status = report.problems, report.status
            if not problems:
                print(report.summary)
    for problem in problems:
        _say(problem)
    raise typer.Exit(status)


def _check_audit(config: Config) -> None:
    """Exit 1 where a row was changed or taken out, and name the first."""
    with _reported():
        from bot.app import audited  # noqa: PLC0415

        _logs(config, "", quiet=True)
        found = _run(audited(config))
        if found.broken is not None:
            _fail(
                FAILED,
                f"audit: row {found.broken} does not follow from the one before it: it was changed, or one before it "
                "was taken out; compare with a backup",
            )
        print(f"audit: {found.acts} acts, each follows from the one before; the last seal is {found.last or 'none'}")


@app.command()
def migrate(context: typer.Context, config: Folder = None) -> None:
    """Bring the database to the current schema."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import migrate_once  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        _run(migrate_once(loaded))
        print(f"{loaded.settings.database_shown}: schema is current")


@app.command()
def stats(context: typer.Context, config: Folder = None, as_json: AsJson = False) -> None:
    """Count feeds by health, articles, chats, subscriptions, the queue and the last day's deliveries."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import statistics  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        _print(_run(statistics(loaded)), as_json=as_json)


@app.command()
def explain(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="URL|FILE", help="An article's page, a feed, or a copy of one.")],
    config: Folder = None,
    chat: Annotated[int | None, typer.Option(help="Say why this chat gets it, or does not.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell every tag of an article with its source, and who would get it and why. Changes nothing."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import explain as explained  # noqa: PLC0415
        from bot.report import as_data, tell  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        articles = _run(explained(loaded, target, chat))
        if as_json:
            print(json.dumps({"articles": [as_data(one) for one in articles]}, ensure_ascii=False))
            return
        for one in articles:
            tell(one, asked=chat)


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The copy to write; it must not exist yet.")],
    config: Folder = None,
) -> None:
    """Write a consistent copy of a live database."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import back_up  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        _run(back_up(loaded, file))
        print(f"{file}: {file.stat().st_size} bytes")


@app.command()
def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="sqlite:///PATH or postgresql://...")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database: sqlite:/// or postgresql://.")],
    as_json: AsJson = False,
) -> None:
    """Move a living installation to another database; stop its service first."""
    from bot.settings import Settings  # noqa: PLC0415

    for option, url in (("--from", source), ("--to", target)):
        if not Settings.names_database(url):
            _fail(WRONG, f"{option}: should be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    if source == target:
        _fail(WRONG, "--to: is the same database as --from; name another one")
    with _reported():
        from bot.app import copy_once  # noqa: PLC0415

        with _progress(None, shown=not as_json, doing="copying") as advance:
            counts = _run(copy_once(source, target, on_rows=advance))
        _print({**counts, "rows": sum(counts.values())}, as_json=as_json)


@feeds_app.command("export")
def feeds_export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The OPML file to write.")],
    config: Folder = None,
) -> None:
    """Write the catalogue as OPML, and the feeds added by chat."""
    loaded = _load(context, config)
    with _reported():
        from bot.app import added_feeds  # noqa: PLC0415
        from bot.catalogue import export_opml  # noqa: PLC0415

        _logs(loaded, "", quiet=True)
        print(f"{file}: {export_opml(loaded, file, _run(added_feeds(loaded)))} feeds")


@feeds_app.command("import")
def feeds_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The OPML file to read.")],
    config: Folder = None,
) -> None:
    """Add the feeds of an OPML file to feeds.toml; those it holds already are left as they are."""
    loaded = _load(context, config)
    with _reported():
        from bot.catalogue import import_opml  # noqa: PLC0415

        added, known, refused = import_opml(loaded, file)
        print(f"{loaded.folder / 'feeds.toml'}: {added} feeds added, {known} were there already")
        for address in refused:
            _say(f"{file}: {address!r} is not an http or https address; left out")


def main() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Somebody closed the pipe we print to (`tagwire stats | head`): that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


# --------------------------------------------------------------------------- shared by the commands


def _read_config(context: typer.Context, config: Path | None) -> Config:
    from bot.settings import load  # noqa: PLC0415

    return load(config or context.find_root().obj, os.environ)


def _load(context: typer.Context, config: Path | None) -> Config:
    from bot.settings import ConfigError  # noqa: PLC0415

    try:
        return _read_config(context, config)
    except ConfigError as error:
        _fail(WRONG, *error.faults)


def _token(config: Config) -> str:
    token = config.settings.token
    if token is None:
        _fail(WRONG, "TAGWIRE_TOKEN is not set: get one from @BotFather, or try `make demo` (tagwire demo) without it")
    return token.get_secret_value()


@contextmanager
def _reported() -> Iterator[None]:
    """Turn failures that a user can cause into one line and the contract's exit status."""
    import sqlite3  # noqa: PLC0415

    from bot.app import Failed  # noqa: PLC0415
    from bot.settings import ConfigError  # noqa: PLC0415

    try:
        yield
    except ConfigError as error:
        _fail(WRONG, *error.faults)
    except Failed.wrong as error:
        _fail(WRONG, str(error))
    except OSError as error:
        _fail(FAILED, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (*Failed.running, sqlite3.Error) as error:
        _fail(FAILED, str(error))


def _fail(status: int, *lines: str) -> NoReturn:
    for line in lines:
        _say(line)
    raise typer.Exit(status)


def _say(line: str) -> None:
    print("tagwire: " + " ".join(str(line).split()), file=sys.stderr)


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415
    import gc  # noqa: PLC0415

    # What is loaded by now stays: collections need not walk it again, and hold up the event loop for less.
    gc.freeze()
    return asyncio.run(work)


def _stop_on_signals(stop: Any) -> None:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)


def _logs(config: Config, token: str, *, quiet: bool = False) -> None:
    from bot.logs import configure  # noqa: PLC0415

    log, secrets = config.settings.log, [token, config.settings.telegram.proxy_password]
    configure(level="error" if quiet and log.level == "info" else log.level, as_json=log.json_lines, secrets=secrets)


def _counts(totals: Any, started: float) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    return {**asdict(totals), "seconds": round(time.monotonic() - started, 3)}


def _print(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(values, ensure_ascii=False))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        parts = [f"{key} {number}" for key, number in value.items()] if isinstance(value, dict) else [str(value)]
        table.add_row(name.replace("_", " "), ", ".join(parts))
    Console().print(table)


def _roles(given: str, config: Config) -> set[str]:
    from bot.service import ROLES  # noqa: PLC0415

    chosen = [role.strip() for role in given.split(",")]
    unknown = [role for role in chosen if role not in ROLES]
    if unknown:
        _fail(WRONG, f"--roles: there is no role {unknown[0]!r}; there are {', '.join(ROLES)}")
    if chosen == ["web"] and not config.settings.web.port:
        _fail(WRONG, "TAGWIRE_WEB__PORT is 0, and the role web needs a port to listen at")
    return set(chosen)


@contextmanager
def _progress(total: int | None, *, shown: bool, doing: str) -> Iterator[Any]:
    """A progress bar on a terminal, nothing elsewhere. What it yields advances it by one, or to (done, of)."""
    if not (shown and sys.stderr.isatty()):
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda *far: bar.update(task, completed=far[0], total=far[1]) if far else bar.advance(task)
