"""Code in compiled files is not executed because a manifest vouches for it: manifests can be anybody's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl import api
from archdsl.cli.main import run

TEXT = """archdsl 1

space tiny(c = 4) {
  in image: 3x16x32
  out logits = image -> conv(c)
}
"""
DOCSTRING = '"""'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a text and what it compiles to, in which commands run."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.arch").write_text(TEXT, encoding="utf-8")
    api.compile("tiny.arch", "torch", "out")
    return tmp_path


def vouched(source: str) -> Path:
    """The torch file with another source, and a manifest with its checksum, as a stranger would send them."""
    file, manifest = Path("out/tiny.py"), Path("out/tiny.torch.manifest.json")
    file.write_text(source, encoding="utf-8")
    told = json.loads(manifest.read_bytes())
    told["artefacts"][0] |= {"sha256": hashlib.sha256(source.encode()).hexdigest(), "bytes": len(source.encode())}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    return file


TRACE = 'open("trace", "w").close()'
HIDDEN: dict[str, Callable[[str], str]] = {
    "before the docstring": lambda source: f"{TRACE}\n{source}",
    "after it": lambda source: source.replace(f"\n{DOCSTRING}\n", f"\n{DOCSTRING}\n{TRACE}\n", 1),
    "on its last line": lambda source: source.replace(f"\n{DOCSTRING}\n", f"\n{DOCSTRING};{TRACE}\n", 1),
    "between two of them": lambda source: f"{DOCSTRING}a{DOCSTRING}\n{TRACE}\n{source}",
    "in a second one": lambda source: f"{DOCSTRING}a{DOCSTRING};{TRACE};{source}",
    "at the end": lambda source: f"{source}\n{TRACE}\n",
    "in a class": lambda source: source.replace("def forward", f"{TRACE}\n\n    def forward", 1),
    "instead of all": lambda _: f"{TRACE}\n",
}


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_code_of_a_stranger_is_not_executed(
    place: Path, hide: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path("out/tiny.py").read_text(encoding="utf-8")
    vouched(hide(source))
    for command in (["verify", "tiny.arch", "out"], ["bench", "out/tiny.py", "--runs", "1"]):
        assert run(command) == 2
        assert "if you know what that does, give `--trust`" in capsys.readouterr().err
        assert not Path("trace").exists()
    assert run(["bench", "out", "--runs", "1"]) == 2
    assert "give `--trust`" in capsys.readouterr().out
    assert not Path("trace").exists()


def test_what_is_trusted_is_executed(place: Path) -> None:
    source = Path("out/tiny.py").read_text(encoding="utf-8")
    vouched(f"{TRACE}\n{source}")
    for command in (["verify", "tiny.arch", "out"], ["bench", "out", "--runs", "1"]):
        assert run([*command, "--trust"]) == 0
        assert Path("trace").exists()
        Path("trace").unlink()


def test_how_a_text_was_called_does_not_matter(place: Path) -> None:
    """The docstring says it, and is not executed."""
    assert run(["verify", str(place / "tiny.arch"), "out"]) == 0
    source = Path("out/tiny.py").read_text(encoding="utf-8")
    vouched(source.replace("tiny.arch", "../somewhere/else.arch"))
    assert run(["verify", "tiny.arch:tiny", "out"]) == 0
    assert run(["bench", "out", "--runs", "1"]) == 0


def test_parameters_are_those_of_the_manifest(place: Path) -> None:
    assert run(["compile", "tiny.arch", "--target", "torch", "-o", "out", "--set", "c=7"]) == 0
    assert run(["bench", "out", "--runs", "1"]) == 0
    assert run(["verify", "tiny.arch", "out"]) == 2
    assert run(["verify", "tiny.arch", "out", "--set", "c=7"]) == 0


@pytest.mark.parametrize("text", [None, TEXT.replace("conv(c)", "conv(c, kernel = 3)"), "archdsl 1\nspace x( {\n"])
def test_a_text_that_is_gone_or_another_makes_no_file_anew(
    place: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("tiny.arch").unlink()
    if text is not None:
        Path("tiny.arch").write_text(text, encoding="utf-8")
    assert run(["bench", "out/tiny.py", "--runs", "1"]) == 2
    assert "give `--trust`" in capsys.readouterr().err
    assert run(["bench", "out/tiny.py", "--runs", "1", "--trust"]) == 0


def test_a_manifest_that_names_no_text(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Path("out/tiny.torch.manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), "sources": []}), encoding="utf-8")
    assert run(["bench", "out/tiny.py", "--runs", "1"]) == 2
    assert "its manifest names no text" in capsys.readouterr().err
