"""The browser that the page is tested in: the system's Chromium, or Playwright's own.

`python -m tests.browser.chromium` installs one where there is none, and says in one line when that is impossible;
with `--find` it only looks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Chromium runs as root without its sandbox alone, and asks nothing of the network by itself.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
#: The browser, and a font for what people and bots put into their messages.
PACKAGES = ("chromium", "fonts-noto-color-emoji", "fonts-dejavu-core")
NONE = "The browser tests did not run: there is no Chromium here, and it could not be installed (apt install chromium)."


def find() -> str | None:
    """The path of a browser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or _of_playwright()


def _of_playwright() -> str | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(
        (str(path) for path in sorted(folder.glob("chromium*/chrome-linux*/*")) if path.name in _BINARIES), None
    )


_BINARIES = frozenset({"chrome", "headless_shell"})


def install() -> str | None:
    """Install a browser as this machine does; its path, or None where that is impossible."""
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        _run(apt, "update", "-qq")
        _run(apt, "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
    if find() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    return find()


def _run(*words: str) -> None:
    """Try it, in silence: whether a browser is there afterwards is all that counts."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(words, capture_output=True, check=False, timeout=600, env=environment)


def main() -> None:
    path = find() if "--find" in sys.argv else find() or install()
    if path is None:
        sys.exit(NONE)


if __name__ == "__main__":
    main()
