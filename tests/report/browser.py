"""Pages in headless Chromium, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

_FOUND = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

needs_chromium = pytest.mark.skipif(_FOUND is None, reason="no Chromium is installed (`apt-get install chromium`)")

_CONSOLE = re.compile(r":CONSOLE[:(]\d+\)?\]? ?(.*)")


def shown(url: str, *, width: int = 1400, goes_on: bool = False) -> tuple[str, list[str]]:
    """The document after its scripts have run, and what was said on the console.

    A page that `goes_on` keeps a connection open, and is looked at after a while.
    """
    assert _FOUND is not None
    asked = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},1000"]
    done = subprocess.run(
        [_FOUND, *asked, "--timeout=3000" if goes_on else "--virtual-time-budget=2000", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, _CONSOLE.findall(done.stderr)


def file_url(page: Path) -> str:
    return page.resolve().as_uri()
