"""What lies around a command: names of files that quote, break lines or are no UTF-8, caches, memory, shells."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.cli.failures import explain
from archdsl.cli.main import run
from tests.cli.console import environment

TEXT = """archdsl 1

space net(c  = 4) {
  in image: 3x8x8
  choose q in {relu, sigmoid}
  out y = image -> q
}

genotype small of net {
  q = relu
}
"""
NAMES = {
    "a quote": b'a"b.arch',
    "quotes": b'it\'s "it".arch',
    "a new line": b"new\nline.arch",
    "a steering one": b"\x1b[31mred.arch",
    "no UTF-8": b"caf\xe9.arch",
    "an option": b"-x.arch",
    "a revision": b"git:x:y.arch",
    "backslashes": b"a\\b.arch",
}
COMMANDS = {
    "check": ("check", "{}"),
    "check as SARIF": ("check", "{}", "--format", "sarif"),
    "check for GitHub": ("check", "{}", "--format", "github"),
    "fmt": ("fmt", "{}"),
    "fmt, the difference": ("fmt", "--diff", "{}"),
    "fmt as JSON": ("fmt", "--check", "{}", "--format", "json"),
    "show": ("show", "{}:small"),
    "show as JSON": ("show", "{}:small", "--format", "json"),
    "stats": ("stats", "{}:small"),
    "expand": ("expand", "{}:small"),
    "diff": ("diff", "{}:small", "{}:net", "--format", "json"),
    "draw": ("draw", "{}:small", "-o", "{}.dot"),
    "compile": ("compile", "{}:small", "--target", "onnx", "-o", "{}.d"),
    "compile to torch": ("compile", "{}:small", "--target", "torch", "-o", "{}.d"),
    "cost rows": ("cost", "list", "{}:small"),
    "a missing one": ("stats", "{}.none"),
    "sample": ("sample", "{}:net", "-o", "drawn"),
    "new": ("new", "genotype", "first", "--of", "{}:net", "-o", "first.arch"),
    "derive": ("derive", "{}:net", "--logits", "{}.none"),
}


@pytest.fixture(params=NAMES.values(), ids=list(NAMES))
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A text of that name in the folder where commands run; one that an option could be is written with its folder."""
    monkeypatch.chdir(tmp_path)
    Path(os.fsdecode(request.param)).write_text(TEXT, encoding="utf-8")
    return os.fsdecode(b"./" + request.param)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_any_name_of_a_file_is_taken_or_refused(
    name: str, command: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    code = run([part.replace("{}", name) for part in command])
    said = "".join(capfd.readouterr())
    assert code in (0, 1, 2), said
    assert "\x1b" not in said


def test_a_genotype_that_could_not_name_its_space_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('a"b.arch').write_text(TEXT, encoding="utf-8")
    assert run(["sample", 'a"b.arch:net', "-o", "drawn"]) == 2
    assert 'no text can name `../a"b.arch`' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["fmt", ""], ["check", ""], ["new", "space", "a", "--out="], ["stats", "", "-h"]]
)
def test_an_argument_without_a_value_is_not_the_folder_here(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loose.arch").write_text(TEXT, encoding="utf-8")
    assert run(arguments) == 2
    assert "an argument is empty" in capsys.readouterr().err
    assert Path("loose.arch").read_text(encoding="utf-8") == TEXT


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "another version": lambda data: data.replace(b'"rules"', b'"roles"'),
    "other numbers": lambda data: data.replace(b"1", b"2"),
    "another form": lambda data: b"[[[[]]]]",
    "deep": lambda data: b"[" * 100_000,
    "no text": lambda data: bytes(range(256)),
}


@pytest.mark.parametrize("broken", [*BROKEN, "a folder", "a pipe"])
def test_a_broken_cache_of_the_grammar_is_made_again(tmp_path: Path, broken: str) -> None:
    """In a process of its own: the tables are read once in each."""
    (tmp_path / "net.arch").write_text(TEXT, encoding="utf-8")
    variables = environment(tmp_path) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "archdsl", "check", "net.arch"]
    first = subprocess.run(command, cwd=tmp_path, env=variables, check=True, capture_output=True, text=True)
    (kept,) = (tmp_path / "cache" / "archdsl").iterdir()
    good = kept.read_bytes()
    kept.unlink()
    if broken == "a folder":
        kept.mkdir()
    elif broken == "a pipe":
        os.mkfifo(kept)
    else:
        kept.write_bytes(BROKEN[broken](good))
    done = subprocess.run(command, cwd=tmp_path, env=variables, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, first.stdout, first.stderr)
    if broken in BROKEN:
        digest, _, data = kept.read_bytes().partition(b"\n")
        assert digest.decode() == hashlib.sha256(data).hexdigest()


def test_git_compares_a_file_that_looks_like_an_option(tmp_path: Path) -> None:
    variables = environment(tmp_path) | {"GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(tmp_path)}
    (tmp_path / "-x.arch").write_text(TEXT, encoding="utf-8")
    steps = (
        "git init -q && archdsl git setup && git add -- -x.arch && "
        "sed -i 's/c  = 4/c   =   5/' ./-x.arch && git diff -- ./-x.arch"
    )
    done = subprocess.run(["sh", "-c", steps], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "-space net(c = 4) {\n+space net(c = 5) {\n" in done.stdout


@pytest.mark.parametrize("stem", ["torch", "json", "numpy", "sys", "typing_extensions"])
def test_a_torch_file_is_not_called_as_a_module_that_it_needs(
    stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(TEXT.replace("genotype small", f"genotype {stem}"), encoding="utf-8")
    for out in ([], ["-o", f"{stem}.py"]):
        assert run(["compile", f"net.arch:{stem}", "--target", "torch", *out]) == 2
        assert f"would stand in the way of the module `{stem}`" in capsys.readouterr().err
    assert run(["compile", f"net.arch:{stem}", "--target", "torch", "-o", f"{stem}_net.py"]) == 0
    assert run(["compile", f"net.arch:{stem}", "--target", "onnx"]) == 0


@pytest.mark.parametrize(
    ("kibibytes", "command"),
    [(60_000, "compile net.arch:small --target onnx"), (200_000, "draw net.arch -o net.svg")],
)
def test_little_memory_is_said_to_be_that(tmp_path: Path, kibibytes: int, command: str) -> None:
    (tmp_path / "net.arch").write_text(TEXT, encoding="utf-8")
    limited = f"ulimit -v {kibibytes}; exec {sys.executable} -m archdsl {command}"
    done = subprocess.run(
        ["bash", "-c", limited], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert "not installed" not in done.stderr
    assert done.returncode == 3
    assert "not enough memory" in done.stderr


def test_what_libraries_say_of_memory_and_of_themselves() -> None:
    no_memory = (
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object", name="torch._C"),
    )
    for error in no_memory:
        told = explain(error)
        assert told is not None
        assert told[0] == 3
        assert "not enough memory" in told[1]
    broken = explain(ImportError("libgomp.so.1: cannot open shared object file", name="torch._C"))
    assert broken == (
        3,
        "`torch` is installed and cannot be loaded: libgomp.so.1: cannot open shared object file; install it again",
    )
    assert explain(ImportError("cannot import name `x` from `archdsl.text`", name="archdsl.text")) is None
