"""`python -m bot.playground`: a local Telegram for any bot."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from bot.playground.server import Playground, PlaygroundError


async def _serve(host: str, port: int) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with Playground(host, port) as playground:
        playground.telegram.add_user("Olivia", "en")
        print(f"playground: {playground.url}/", flush=True)  # noqa: T201 - a command's output
        await stopped.wait()


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m bot.playground", description="A local Telegram for any bot.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 picks a free one")
    chosen = parser.parse_args()
    try:
        asyncio.run(_serve(chosen.host, chosen.port))
    except PlaygroundError as error:
        sys.exit(f"playground: {error}")


if __name__ == "__main__":
    main()
