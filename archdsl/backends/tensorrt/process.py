"""Processes in which TensorRT works: one question on stdin, one answer on stdout, and the end.

Nothing in TensorRT's Python raises, and a wrong move crashes the interpreter; in a process of its own a crash costs
one process. A message is one line of JSON, followed by the bytes that it announces.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any, TypeAlias

from archdsl.backends.failures import TargetFailed
from archdsl.backends.interrupts import interrupt_held
from archdsl.extras import import_path

Message: TypeAlias = "tuple[Mapping[str, Any], bytes]"


# Our side ---------------------------------------------------------------------------------------


def ask(worker: str, request: Mapping[str, Any], body: bytes) -> Message:
    """The answer of the module `archdsl.backends.tensorrt.WORKER`, run as a program.

    Raises TargetFailed where it dies.
    """
    with TemporaryFile() as words, _running(worker, words) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            write_message(process.stdin, request, body)
            process.stdin.close()
            answer = read_message(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            status = process.wait()
            died = f"died of signal {-status}" if status < 0 else f"ended with {status}"
            words.seek(0)
            last = words.read().decode(errors="replace").splitlines()[-20:]
            raise TargetFailed(f"TensorRT's process {died}", tuple(last)) from error
        process.wait()
    return answer


@contextmanager
def _running(worker: str, words: IO[bytes]) -> Generator[subprocess.Popen[bytes], None, None]:
    """A worker that is gone when the block ends, however it ends.

    It has a session of its own, so that Ctrl-C reaches us alone and we end it.
    """
    with ExitStack() as stack:
        stack.enter_context(interrupt_held())  # within `Popen` it would leave a child that nobody knows
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"archdsl.backends.tensorrt.{worker}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env={**os.environ, "PYTHONPATH": import_path()},
            start_new_session=True,
        )
        try:
            stack.close()
            yield process
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    assert pipe is not None
                    pipe.close()


# The worker's side ------------------------------------------------------------------------------


def answer_with(work: Callable[[Mapping[str, Any], bytes], Message]) -> None:
    """A worker's whole life. What TensorRT prints goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    write_message(answers, *work(*read_message(sys.stdin.buffer)))


def import_tensorrt(module: str) -> Any:
    """The library, None where it is not installed or cannot be loaded."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def listening_logger(trt: Any) -> Any:
    """The process's one logger: keeps what TensorRT says of warnings and errors in `complaints`."""

    class Complaints(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.complaints: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.WARNING, trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.complaints.append(message)

    return Complaints()


# Both sides -------------------------------------------------------------------------------------


def read_message(stream: IO[bytes]) -> Message:
    """One message. Raises EOFError where the stream ends within it."""
    head = stream.readline()
    if not head.endswith(b"\n"):
        raise EOFError("the stream ended within a message")
    fields: Mapping[str, Any] = json.loads(head)
    body = stream.read(fields["bytes"])
    if len(body) != fields["bytes"]:
        raise EOFError("the stream ended within a message")
    return fields, body


def write_message(stream: IO[bytes], fields: Mapping[str, Any], body: bytes) -> None:
    stream.write(json.dumps({**fields, "bytes": len(body)}).encode() + b"\n")
    stream.write(body)
    stream.flush()
