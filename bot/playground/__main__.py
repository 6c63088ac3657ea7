"""`python -m bot.playground`: a local Telegram for any bot."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from bot.playground.keeping import Keeper, KeepError
from bot.playground.server import Playground, PlaygroundError
from bot.playground.telegram import BOT


async def _serve(host: str, port: int, username: str, keep: Path | None) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with AsyncExitStack() as stack:
        playground = Playground(host, port)
        telegram = playground.telegram
        telegram.bot = {**BOT, "username": username, "first_name": username}
        keeper = Keeper(keep, telegram, {"clock": playground.now}) if keep else None
        kept = keeper.read() if keeper else False
        await stack.enter_async_context(playground)
        if not kept:
            telegram.add_user("Олена", "uk")
            telegram.add_user("Olivia", "en")
        if keeper:
            await stack.enter_async_context(keeper)
        print(f"playground: {playground.url}/", flush=True)  # noqa: T201 - a command's output
        await stopped.wait()


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m bot.playground", description="A local Telegram for any bot.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 picks a free one")
    parser.add_argument("--username", default="my_bot", help="your bot's")
    parser.add_argument("--keep", type=Path, help="a file to go on from, and to keep everything in")
    chosen = parser.parse_args()
    try:
        asyncio.run(_serve(chosen.host, chosen.port, chosen.username, chosen.keep))
    except (PlaygroundError, KeepError) as error:
        sys.exit(f"playground: {error}")


if __name__ == "__main__":
    main()
