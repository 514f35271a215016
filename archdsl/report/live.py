"""A page that is served on this machine and shown anew when the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Final

from archdsl.report.kept import Kept, Stamps, stamps
from archdsl.report.report import report
from archdsl.report.watched import watched

ADDRESS: Final = "127.0.0.1"
_LOOK_S: Final = 0.5
"""Seconds between two looks at the files of a run."""
_ALIVE_S: Final = 15.0
"""Seconds between two comments that keep an idle connection open."""


class Live:
    """The page of a folder and its number; the last good one stays where a new one cannot be made."""

    def __init__(self, folder: Path, cost: Path | None, say: Callable[[str], None]) -> None:
        """Raises what `report` does: there has to be a first page."""
        self._folder = folder
        self._cost = cost
        self._say = say
        self._kept = Kept()
        self._stamps = self._now()
        self._page = self._made()
        self._changed = Condition()
        self._number = 0
        self._ended = Event()

    @property
    def page(self) -> str:
        return self._page

    @property
    def number(self) -> int:
        return self._number

    def wait(self, number: int, seconds: float) -> int:
        """The number of the page: at once where it is another one, else when it changes or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != number or self._ended.is_set(), seconds)
            return self._number

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def follow(self) -> None:
        """Looks at the files until the end."""
        while not self._ended.wait(_LOOK_S):
            self.look()

    def look(self) -> bool:
        """Makes the page anew where files have changed; whether there is a new one."""
        found = self._now()
        if found == self._stamps:
            return False
        self._stamps = found
        try:
            page = self._made()
        except Exception as error:  # noqa: BLE001 - half-written files can be wrong in any way
            self._say(f"the page stays as it was: {error}")
            return False
        with self._changed:
            self._page = page
            self._number += 1
            self._changed.notify_all()
        return True

    def _now(self) -> Stamps:
        return stamps(watched(self._folder))

    def _made(self) -> str:
        self._kept.turn()
        return report(self._folder, cost=self._cost, live=True, kept=self._kept)


class Server(ThreadingHTTPServer):
    """Serves a page on 127.0.0.1, and tells by server-sent events when it has changed."""

    daemon_threads = True

    def __init__(self, live: Live, port: int) -> None:
        """Raises OSError where the port is taken."""
        self.live = live
        super().__init__((ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.server_port}/"

    def run(self) -> None:
        """Serves until it is interrupted."""
        Thread(target=self.live.follow, daemon=True).start()
        try:
            self.serve_forever()
        finally:
            self.live.end()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - it serves nothing else
    server_version = "archdsl"
    sys_version = ""

    def do_GET(self) -> None:
        # A page elsewhere may have its name resolve to this address: its requests name it as their host.
        if self.headers.get("Host") not in (
            f"{ADDRESS}:{self.server.server_port}",
            f"localhost:{self.server.server_port}",
        ):
            self.send_error(HTTPStatus.FORBIDDEN, "only this machine is served")
        elif self.path == "/":
            self._page()
        elif self.path == "/events":
            self._events()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _page(self) -> None:
        data = self.server.live.page.encode()
        self._head("text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _events(self) -> None:
        self._head("text/event-stream")
        self.end_headers()
        live = self.server.live
        number = live.number
        try:
            self.wfile.write(b"retry: 1000\n\n")
            while not live.ended:
                now = live.wait(number, _ALIVE_S)
                self.wfile.write(b": alive\n\n" if now == number else b"event: changed\ndata: %d\n\n" % now)
                self.wfile.flush()
                number = now
        except OSError:
            pass  # the reader has gone

    def _head(self, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a terminal is no place for each request."""
