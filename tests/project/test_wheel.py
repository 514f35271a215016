"""The wheel and the source archive, as somebody gets them who has no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and a source archive, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def run(code: str, *, site: Path, folder: Path) -> str:
    """What a program prints that finds archdsl in `site` before it finds the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


def texts(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_wheel_holds_every_text_and_page(unpacked: Path) -> None:
    assert texts(unpacked / "archdsl" / "spaces") == texts(ROOT / "spaces")
    assert texts(unpacked / "archdsl" / "grammars") == texts(ROOT / "grammars")
    assert (unpacked / "archdsl" / "py.typed").is_file()
    package = texts(ROOT / "archdsl")
    assert package <= texts(unpacked / "archdsl")


def test_wheel_finds_its_own_grammar_and_library(unpacked: Path, tmp_path: Path) -> None:
    printed = run(
        """
        import archdsl
        from archdsl.sema.modules.library import library
        from archdsl.syntax.grammar import grammar_text

        print(archdsl.__file__)
        print(library("std"))
        print(bool(grammar_text()))
        """,
        site=unpacked,
        folder=tmp_path,
    )

    package = unpacked / "archdsl"
    assert printed.splitlines() == [str(package / "__init__.py"), str(package / "spaces" / "std.arch"), "True"]


def test_wheel_builds_a_network_of_a_packaged_text(unpacked: Path, tmp_path: Path) -> None:
    text = unpacked / "archdsl" / "spaces" / "genotypes" / "fasterseg_student.arch"

    printed = run(
        f"""
        from archdsl.pipeline import load

        print(load({str(text)!r}).network().name)
        """,
        site=unpacked,
        folder=tmp_path,
    )

    assert printed == "fasterseg_student\n"


def test_source_archive_is_complete(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    kept = ("archdsl/**/*.py", "archdsl/**/*.md", "grammars/*.lark", "spaces/**/*.arch", "tests/**/*.py", "docs/*.md")
    wanted = {str(path.relative_to(ROOT)) for pattern in kept for path in ROOT.glob(pattern)}
    assert wanted <= held
    assert {"pyproject.toml", "Makefile"} <= held
