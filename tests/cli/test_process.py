"""Commands as processes: what they import, how they are interrupted, what a terminal sees."""

import ctypes
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import ROOT, environment

STUDENT = str(ROOT / "spaces" / "genotypes" / "fasterseg_student.arch")
TEACHER = str(ROOT / "spaces" / "genotypes" / "fasterseg_teacher.arch")
HEAVY = ("torch", "onnx", "onnxruntime", "tensorrt", "tensorrt_rtx")
LIGHT: tuple[list[str], ...] = (
    [],
    ["--help"],
    ["check", STUDENT],
    ["fmt", "--check", STUDENT],
    ["explain", "E0101"],
    ["show", STUDENT],
    ["show", STUDENT, "--ir"],
    ["stats", STUDENT],
    ["expand", STUDENT],
    ["diff", STUDENT, TEACHER],
    ["draw", STUDENT, "-o", "student.svg"],
)
LIMIT_S = 60
MORE_THAN_A_PIPE = 100_000


@pytest.mark.parametrize("arguments", LIGHT, ids=lambda arguments: " ".join(arguments[:1]) or "nothing")
def test_front_end_imports_no_framework(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from archdsl.cli.main import run\n"
        f"code = run({arguments!r})\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "[]"
    assert done.returncode == (0 if arguments else 2)


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        (">&-", "stats student.arch", 0),
        ("2>&-", "check student.arch", 0),
        (">&- 2>&- <&-", "check nowhere.arch", 2),
        ("<&-", "check -", 1),
        (">&-", "draw student.arch -o student.dot", 0),
        (">/dev/full", "stats student.arch", 2),
        (">/dev/full 2>/dev/full", "stats student.arch", 2),
        (">/dev/full", "check nowhere.arch --format json", 2),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_defect(tmp_path: Path, closed: str, arguments: str, code: int) -> None:
    net = "archdsl 1\n\nspace net() {\n  in image: 3x8x8\n  out y = image -> relu\n}\n"
    (tmp_path / "student.arch").write_text(net, encoding="utf-8")
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m archdsl {arguments} {closed}"],
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == code
    if "draw" in arguments:
        assert (tmp_path / "student.dot").read_bytes().startswith(b"digraph")


@pytest.mark.parametrize(("out", "said"), [(".", "`.`: is a directory"), ("taken", "`taken`: is a directory")])
def test_a_picture_cannot_stand_where_a_folder_does(tmp_path: Path, out: str, said: str) -> None:
    (tmp_path / "taken").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "archdsl", "draw", STUDENT, "--format", "dot", "-o", out],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"error: {said}\n")


def test_formatting_knows_no_meaning(tmp_path: Path) -> None:
    """Editors format at every save: nothing is imported that a layout does not need."""
    program = (
        "import sys\n"
        "from archdsl.cli.main import run\n"
        f"run(['fmt', '--check', {STUDENT!r}])\n"
        "print([each for each in sys.modules if each in ('archdsl.sema', 'archdsl.pipeline', 'networkx')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_import_is_lazy(tmp_path: Path) -> None:
    program = (
        "import sys, archdsl\n"
        "print([name for name in sys.modules if name.startswith('archdsl.')])\n"
        "archdsl.Refused\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n[]\n"


def _heed_interrupts() -> None:
    """A shell that runs the tests in the background has them, and what they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C while a text is awaited: one line, exit code 130."""
    command = [sys.executable, "-m", "archdsl", "check", "-"]
    ends = subprocess.PIPE
    with subprocess.Popen(
        command,
        env=environment(tmp_path),
        stdin=ends,
        stdout=ends,
        stderr=ends,
        text=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the test has no other threads
    ) as waiting:
        assert waiting.stdin is not None and waiting.stdout is not None and waiting.stderr is not None
        # More than a pipe holds: once it is written, the command has begun to read.
        waiting.stdin.write("# a comment\n" * MORE_THAN_A_PIPE)
        waiting.stdin.flush()
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(LIMIT_S) == 130
        assert waiting.stdout.read() == ""
        assert waiting.stderr.read().strip() == "interrupted; partial output was removed"


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_terminal_has_colours(variables: dict[str, str], coloured: bool, tmp_path: Path) -> None:
    (tmp_path / "wrong.arch").write_text("archdsl 1\n\nspace x( {\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "archdsl", "check", "wrong.arch"],
        cwd=tmp_path,
        env=environment(tmp_path) | {"TERM": "xterm"} | variables,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16)
    os.close(ours)
    assert b"E0102" in shown
    assert (b"\x1b[" in shown) is coloured


def test_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """The text stays as it is, nothing is left beside it, and the others are formatted."""
    closed, open_ = tmp_path / "closed", tmp_path / "open"
    loose = "archdsl 1\nop a(c)=conv(c)\n"
    for folder in (closed, open_):
        folder.mkdir()
        (folder / "a.arch").write_text(loose, encoding="utf-8")
    closed.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-m", "archdsl", "fmt", "closed", "open"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        preexec_fn=_obey_permissions,
    )
    closed.chmod(0o755)
    assert done.returncode == 2
    assert done.stderr == (
        "error: `closed/a.arch` cannot be written: permission denied\n1 file formatted, 1 file not written\n"
    )
    assert [file.name for file in closed.iterdir()] == ["a.arch"]
    assert (closed / "a.arch").read_text(encoding="utf-8") == loose
    assert (open_ / "a.arch").read_text(encoding="utf-8") == "archdsl 1\nop a(c) = conv(c)\n"


def _obey_permissions() -> None:
    """Make a process of the superuser obey permissions, as those of all others do."""
    if os.geteuid() != 0:
        return
    drop_from_bounding_set, override, search = 24, 1, 2
    libc = ctypes.CDLL(None)
    for capability in (override, search):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)
