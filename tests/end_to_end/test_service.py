"""`tagwire run` as an operator sees it: one process, its output, its end."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp

from .conftest import TOKEN


async def test_a_whole_run_at_debug_level_never_says_the_token_and_stops_in_time(
    world, unused_tcp_port, tmp_path
) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await world.poll()
    process = await world.command("run", TAGWIRE_LOG__LEVEL="debug", TAGWIRE_WEB__PORT=str(unused_tcp_port))
    await world.says(reader, "/sub #nato")
    for kind in ("500", "429"):
        world.playground.faults.set(kind, chat_id=reader, times=1, retry_after=1)
    world.newsroom.publish_seed()
    assert (await world.poll()).alerts_queued == 1
    await world.wait_until(lambda: world.cards(reader))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as web:
        async with web.get("/healthz") as answer:
            health = await answer.json()
        async with web.get("/metrics") as answer:
            metrics = await answer.text()
    second = await world.command("run")
    _, refused = await second.communicate()
    target = f"sqlite:///{tmp_path / 'moved.db'}"
    mover = await world.command("copy", "--from", world.environ["TAGWIRE_DATABASE"], "--to", target)
    _, not_moved = await mover.communicate()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        printed, logged = await process.communicate()
    assert process.returncode == 0
    assert health["ok"]
    assert {name: part["detail"] for name, part in health["parts"].items()} == {
        "poll": "working", "deliver": "working", "chat": "working", "web": "working", "telegram": "", "database": "",
    }  # fmt: skip
    assert 'tagwire_deliveries_total{outcome="sent"} 1.0' in metrics
    said = (printed + logged).decode()
    assert "service.listening" in said
    assert "deliver.failed" in said
    for text in (said, metrics, refused.decode(), repr(world.config)):
        assert TOKEN not in text
        assert TOKEN.partition(":")[2] not in text
    assert "Traceback" not in said
    for one, line in ((second, refused), (mover, not_moved)):
        assert one.returncode == 1
        assert "is in use by another tagwire" in line.decode()


async def test_a_worker_does_and_tells_only_what_its_roles_say(world, unused_tcp_port) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await world.poll()
    async with world.running():
        await world.says(reader, "/sub #nato")
    world.newsroom.publish_seed()
    await world.poll()
    process = await world.command("run", "--roles", "deliver,web", TAGWIRE_WEB__PORT=str(unused_tcp_port))
    await world.wait_until(lambda: world.cards(reader))
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as web,
        web.get("/healthz") as answer,
    ):
        health = await answer.json()
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
    assert health["ok"]
    assert set(health["parts"]) == {"deliver", "web", "telegram", "database"}


async def test_the_service_waits_for_telegram_and_for_the_network(world) -> None:
    """Feeds are read while Telegram is away, and SIGTERM ends the waiting."""
    process = await world.command("run", TAGWIRE_API_URL="http://127.0.0.1:1")
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not ({"poll.stored", "telegram.unreachable"} <= {word for line in lines for word in line.split()}):
            lines.append((await process.stderr.readline()).decode())
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in "".join(lines) + rest.decode()


async def test_commands_that_run_once_print_what_the_contract_says(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await world.poll()
    async with world.running():
        await world.says(reader, "/sub #nato")
    story = world.newsroom.publish_seed()

    rehearsed = await _printed(world, "poll", "--dry-run")
    assert f"would send to {reader}: {story.title}" in rehearsed
    polled = json.loads(await _printed(world, "poll", "--json"))
    assert {**polled, "seconds": 0} == {
        "feeds": 1, "fetched": 1, "not_modified": 0, "failed": 0, "left_alone": 0,
        "articles_new": 1, "articles_changed": 0, "alerts_queued": 1, "seconds": 0,
    }  # fmt: skip
    stats = json.loads(await _printed(world, "stats", "--json"))
    assert (stats["feeds"]["healthy"], stats["subscriptions"], stats["queue"]["queued"]) == (1, 1, 1)
    delivered = json.loads(await _printed(world, "deliver", "--json"))
    assert {**delivered, "seconds": 0} == {
        "sent": 1, "edited": 0, "failed": 0, "retired_chats": 0, "left": 0, "seconds": 0,
    }  # fmt: skip
    again = await _printed(world, "poll", "sample")
    assert "not modified      1" in again


async def _printed(world, *words: str) -> str:
    process = await world.command(*words)
    printed, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")
    return printed.decode()
