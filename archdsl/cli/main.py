"""The entry point: runs a command and maps its outcome to an exit code."""

from __future__ import annotations

import gc
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, NoReturn

import click

from archdsl.cli.app import app
from archdsl.cli.exits import Exit
from archdsl.cli.failures import explain
from archdsl.cli.output import note, say_json
from archdsl.text import visible_line


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    _open_streams()
    # A command builds large graphs and ends: looking for cycles among their parts finds none and takes its time.
    gc.set_threshold(100_000, 20, 20)
    code = run(sys.argv[1:])
    _close_streams()
    sys.exit(code)


_EMPTY = re.compile(r"(--[a-z][a-z-]*=)?")
"""An argument without a value."""


class _Output(io.FileIO):
    """An output whose reader may leave (`| head`): the rest goes nowhere, and the command ends as it would have."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _open_streams() -> None:
    """Open what the caller closed (`>&-`): a file opened later would take its place and get what is printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            from pathlib import Path

            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            # A terminal, or a file name, may have no way to write a character: that is no reason to fail.
            output = io.BufferedWriter(_Output(stream.fileno(), "w", closefd=False))
            setattr(sys, name, io.TextIOWrapper(output, stream.encoding, "backslashreplace", line_buffering=True))


def _close_streams() -> None:
    """What an output did not take has been reported: the interpreter is not to try again, and to end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line."""
    if any(_EMPTY.fullmatch(each) for each in arguments):
        # As a path it would mean the folder here, which nobody asked for.
        return _known(Exit.USAGE, "an argument is empty, as of a shell's variable that is not set: give it", arguments)
    try:
        with app.make_context("archdsl", list(arguments)) as context:
            result = app.invoke(context)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else Exit.FINE
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, click.Abort):
        with suppress(OSError):
            note("interrupted; partial output was removed")
        return Exit.INTERRUPTED
    except click.ClickException as mistake:
        return _usage(mistake, arguments)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a user never sees a bare traceback
        known = explain(error)
        return _known(*known, arguments) if known is not None else _ours(error, arguments)


def _usage(mistake: click.ClickException, arguments: Sequence[str]) -> int:
    from archdsl.cli.usage import usage, words

    code = _known(Exit.USAGE, words(mistake), arguments)
    text = usage(mistake)
    if text and not _wants_json(arguments):
        with suppress(OSError):
            note(text)
    return code


def _known(code: int, message: str, arguments: Sequence[str]) -> int:
    """Reports an expected failure; as JSON where the command prints JSON and standard output takes it."""
    for broken in {name for each in arguments for name in (each, each.rpartition("/")[2]) if "\n" in name}:
        message = message.replace(broken, visible_line(broken))  # messages have lines of their own, names have not
    if _wants_json(arguments):
        with suppress(OSError):
            say_json({"error": {"exit": int(code), "message": message}})
            return code
    with suppress(OSError):
        note(f"error: {message}")
    return code


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _ours(error: BaseException, arguments: Sequence[str]) -> int:
    """Reports an internal error: a short message and the path of the traceback."""
    import platform
    import tempfile
    import traceback

    from archdsl import __version__

    report = "".join(traceback.format_exception(error))
    about = f"archdsl {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    with tempfile.NamedTemporaryFile(
        "w", prefix="archdsl-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.write(f"{about}archdsl {' '.join(arguments)}\n\n{report}")
    message = f"this is a bug of archdsl, not of your text ({type(error).__name__}); the report is {file.name}"
    return _known(Exit.OURS, message, arguments)
