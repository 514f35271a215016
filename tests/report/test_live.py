"""`archdsl view` as a process: the page, what it says when the run goes on, and whom it serves."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.report.browser import needs_chromium, shown
from tests.report.invented import FASTERSEG, ROOT, write_run

_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "student", FASTERSEG)


@contextmanager
def viewing(run: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it is interrupted in the end."""
    command = [sys.executable, "-m", "archdsl", "view", str(run)]
    with subprocess.Popen(
        command, env=_ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def get(url: str, path: str = "/", host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_page_follows_the_run_and_stays_where_files_are_broken(run: Path) -> None:
    with viewing(run) as (process, url):
        assert urlsplit(url).hostname == "127.0.0.1"
        status, page = get(url)
        assert (status, "240 of 240" in page) == (200, True)
        assert "connect-src 'self'" in unescape(page)
        assert get(url, "/run.json")[0] == 404
        assert get(url, host="example.org")[0] == 403
        assert get(url, "/events", host=f"example.org:{urlsplit(url).port}")[0] == 403

        events = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        events.request("GET", "/events")
        stream = events.getresponse()
        assert stream.getheader("Content-Type") == "text/event-stream"
        assert stream.readline() == b"retry: 1000\n"
        with (run / "journal.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"event": "step", "step": 300, "phase": "student", "loss": 1.0}\n')
        assert [stream.readline() for _ in range(2)] == [b"\n", b"event: changed\n"]
        assert "300 of 240" in (page := get(url)[1])

        assert process.stderr is not None
        (run / "run.json").write_text("{", encoding="utf-8")
        assert process.stderr.readline().startswith("the page stays as it was: ")
        assert get(url) == (200, page)
    assert process.returncode == 130


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archdsl", "view", str(tmp_path)]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no run" in done.stderr


@needs_chromium
def test_a_browser_is_told_that_the_page_is_live(run: Path) -> None:
    with viewing(run) as (_, url):
        document, console = shown(url, goes_on=True)
    assert console == []
    assert '<span id="live">live</span>' in document
