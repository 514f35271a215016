"""A worker: takes a member that is free, runs its commands, writes what came out, takes the next."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from archdsl.extras import import_path
from archdsl.locks import Lock
from archdsl.runs.errors import NoRun
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.folder import Attempt, Failure, Progress, SweepFolder
from archdsl.search.sweep.grid import Member
from archdsl.search.sweep.results import result_of, steps_taken
from archdsl.search.sweep.steps import Step, steps
from archdsl.search.sweep.stopping import StopRequest

PROGRAM: Final = (sys.executable, "-P", "-m", "archdsl")
_TICK_S: Final = 1.0
_OUTPUT: Final = "output.txt"
_ERROR: Final = re.compile(r"error(\[\w+\])?: ")
_MESSAGE: Final = 400
"""The longest message of a failure, in letters."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Works on a sweep; several may do so in one process, each in a thread of its own."""

    folder: SweepFolder
    request: StopRequest = field(default_factory=StopRequest)
    tell: Callable[[str], None] = lambda text: None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to that of this process."""
    program: Sequence[str] = PROGRAM
    """How `archdsl` is called."""
    tick_s: float = _TICK_S
    """Seconds between two looks at requests, budgets and locks."""

    def work(self, *, wait: bool) -> None:
        """Runs free members until there are none; with `wait` until none is open.

        A member that another process works on becomes free when that process is killed. Raises OSError.
        """
        while not self._stops():
            opened = [member for member in self.folder.plan.members if self.folder.is_open(member)]
            taken = next(((member, lock) for member in opened if (lock := self.folder.take(member))), None)
            if taken is not None:
                try:
                    self._run(*taken)
                finally:
                    taken[1].release()
            elif wait and opened:
                self.request.wait(self.tick_s)
            else:
                return

    def _stops(self) -> bool:
        return bool(self.request) or self.folder.is_spent

    # Members ------------------------------------------------------------------------------------

    def _run(self, member: Member, lock: Lock) -> None:
        """All steps of a member that are not finished yet, and its result."""
        home, progress = self.folder.home(member), self.folder.progress(member)
        planned = steps(self.folder.plan, member, home.resolve())
        for step in planned:
            if step.command in progress.finished:
                continue
            failure = self._finished(step, member, progress, lock)
            if failure is not None:
                return self._fail(member, failure)
            if step.command not in progress.finished:
                return self.tell(f"{member.name}: stopped after step {progress.steps.get(step.command, 0)}")
        try:
            result = result_of(planned, self.folder.root, self.folder.cost)
        except (NotSwept, NoRun, OSError) as error:
            return self._fail(member, Failure(planned[-1].command, 0, str(error)))
        self.folder.finish(member, result)
        latency = "" if result.latency_ms is None else f", latency {result.latency_ms:.3f} ms"
        return self.tell(f"{member.name}: accuracy {100 * result.accuracy:.2f} %, MACs {result.macs:,}{latency}")

    def _fail(self, member: Member, failure: Failure) -> None:
        self.folder.fail(member, failure)
        self.tell(f"{member.name}: `{failure.step}` failed: {failure.message}")

    def _finished(self, step: Step, member: Member, progress: Progress, lock: Lock) -> Failure | None:
        """Runs a step to its end, unless the sweep is stopped.

        A command that is killed is begun again, as long as it gets further each time.
        """
        while not self._stops():
            before = progress.steps.get(step.command, 0)
            self.tell(f"{member.name}: {step.command}" + (f" goes on after step {before}" if before else ""))
            code, message = self._attempt(step, member, progress, lock)
            if code == 0:
                progress.finished.append(step.command)
                self.folder.note(member, progress)
                return None
            killed = _killing_signal(code)
            if killed is None:
                return Failure(step.command, code, message)
            if not self._stops() and progress.steps.get(step.command, 0) <= before:
                return Failure(step.command, code, f"killed by {killed} before it got further")
        return None

    # Commands -----------------------------------------------------------------------------------

    def _attempt(self, step: Step, member: Member, progress: Progress, lock: Lock) -> tuple[int, str]:
        """The exit code of a command, and what it said last."""
        home, before, began = self.folder.home(member), progress.seconds, time.monotonic()
        progress.attempts.append(Attempt(step.command, f"{socket.gethostname()}:{os.getpid()}"))

        def note() -> None:
            progress.seconds = before + time.monotonic() - began
            progress.steps[step.command] = steps_taken(step.run)
            self.folder.note(member, progress)

        note()
        with (home / _OUTPUT).open("ab") as output:
            start = output.tell()
            process = subprocess.Popen(
                [*self.program, *step.line],
                cwd=self.folder.directory,
                env={**os.environ, "PYTHONPATH": import_path(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal is for the sweep, which then ends its commands by one signal each.
                start_new_session=True,
                pass_fds=(lock.handle,),
            )
            code = self._watch(process, note)
        progress.attempts[-1] = replace(progress.attempts[-1], exit=code)
        note()
        return code, _last_words(home / _OUTPUT, start)

    def _watch(self, process: subprocess.Popen[bytes], note: Callable[[], None]) -> int:
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(self.tick_s)
                note()
                if self._stops():
                    process.terminate()
                    return process.wait()
        except BaseException:  # Ray ends a task by KeyboardInterrupt
            process.terminate()
            process.wait()
            raise


def work_in(root: str, program: Sequence[str] = PROGRAM, tick_s: float = _TICK_S) -> None:
    """What a worker on another machine runs: free members of the sweep in a folder, until there are none."""
    Worker(SweepFolder.read(Path(root)), program=program, tick_s=tick_s).work(wait=False)


def _killing_signal(code: int) -> str | None:
    """The name of the signal that ended a command; None for one that ended by itself."""
    number = -code if code < 0 else code - 128
    if code < 0 or number in (signal.SIGINT, signal.SIGTERM):
        return signal.Signals(number).name
    return None


def _last_words(output: Path, start: int) -> str:
    """The last line that a command printed, or its last error."""
    with output.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if _ERROR.match(line)]
    return (errors or lines or ["it said nothing"])[-1][:_MESSAGE]
