"""Property 6: no path escapes, and no small text asks for work without end, in real processes under real limits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties.hostile import GENOTYPES, SPACES

ROOT = Path(__file__).parents[2]
CPU_S, MEMORY_KIB = 60, 2 << 20
"""Far above what is needed: a text that runs into them has no end."""
LARGE = {name for name, text in SPACES.items() if len(text) > 40_000}


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    limited = f'ulimit -t {CPU_S}; ulimit -v {MEMORY_KIB}; exec "$@"'
    line = ["bash", "-c", limited, "bash", sys.executable, "-m", "archdsl", *arguments]
    return subprocess.run(line, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)


def _environment() -> dict[str, str]:
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def is_answered(found: subprocess.CompletedProcess[str]) -> None:
    assert found.returncode in (0, 1), found.stderr
    assert "bug" not in found.stderr
    assert "Traceback" not in found.stderr


SMALL = [name for name in [*SPACES, *GENOTYPES] if name not in LARGE]


def test_small_texts_are_answered(tmp_path: Path) -> None:
    """All in one process: what one leaves behind helps none of the others."""
    for name in SMALL:
        (tmp_path / f"{name.replace(' ', '_')}.arch").write_text({**SPACES, **GENOTYPES}[name], encoding="utf-8")
    found = command("check", *sorted(path.name for path in tmp_path.glob("*.arch")), folder=tmp_path)
    is_answered(found)
    assert found.stdout.count("error[") + found.stdout.count("warning[") > len(SMALL) // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_texts_are_answered(name: str, tmp_path: Path) -> None:
    (tmp_path / "space.arch").write_text(SPACES[name], encoding="utf-8")
    is_answered(command("check", "space.arch", folder=tmp_path))


@pytest.mark.parametrize("name", ["twenty of forty inputs", "ways that double", "a huge image"])
def test_what_is_clean_is_counted_or_says_why_not(name: str, tmp_path: Path) -> None:
    (tmp_path / "space.arch").write_text(SPACES[name], encoding="utf-8")
    is_answered(command("stats", "space.arch", folder=tmp_path))


SECRET = "op secret_of_somebody_else() = relu\n"
ESCAPES = ["../outside.arch", "a/../../outside.arch", "{outside}", "link.arch", "linked/outside.arch", "zero.arch"]


@pytest.mark.parametrize("written", ESCAPES)
def test_no_path_leaves_the_project(written: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "a").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    outside = tmp_path / "outside.arch"
    outside.write_text(f"archdsl 1\n\n{SECRET}", encoding="utf-8")
    (project / "link.arch").symlink_to(outside)
    (project / "linked").symlink_to(tmp_path)
    (project / "zero.arch").symlink_to("/dev/zero")
    path = written.format(outside=outside)
    text = f'archdsl 1\n\nuse "{path}"\n\nspace net() {{\n  in x: 3x8x8\n  out y = x -> secret_of_somebody_else\n}}\n'
    (project / "space.arch").write_text(text, encoding="utf-8")
    found = command("check", "space.arch", folder=project)
    assert found.returncode == 1
    assert "error[E0021]" in found.stdout
    assert f'`"{path}"` lies outside the project' in found.stdout


@pytest.mark.parametrize("written", ["", ".", "a", "nothing.arch", "fifo.arch", "~/x.arch", "C:\\x.arch", "n" * 9_000])
def test_what_is_no_file_is_not_found(written: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "pyproject.toml").touch()
    os.mkfifo(tmp_path / "fifo.arch")
    (tmp_path / "space.arch").write_text(f'archdsl 1\n\nuse "{written}"\n', encoding="utf-8")
    found = command("check", "space.arch", folder=tmp_path)
    assert found.returncode == 1
    assert "error[E0020]" in found.stdout


LOOPS = {
    'use "one.arch"': 'error[E0020]: `"one.arch"` lies behind links in a circle: '
    "`one.arch` leads to `two.arch` leads to `one.arch`",
    'use "folder/x.arch"': 'error[E0020]: `"folder/x.arch"` lies behind links in a circle: `folder` leads to `folder`',
    'cost c = table("a.json", unit = ms)': 'error[E0701]: `"a.json"` lies behind links in a circle: '
    "`b.json` leads to `b.json`",
}


@pytest.mark.parametrize("line", LOOPS)
def test_links_in_a_circle_are_shown(line: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for link, to in {
        "one.arch": "two.arch",
        "two.arch": "one.arch",
        "folder": "folder",
        "a.json": "b.json",
        "b.json": "b.json",
    }.items():
        (tmp_path / link).symlink_to(to)
    (tmp_path / "space.arch").write_text(f"archdsl 1\n\n{line}\n", encoding="utf-8")
    found = command("check", "space.arch", folder=tmp_path)
    assert found.returncode == 1, found.stderr
    assert LOOPS[line] in found.stdout


@pytest.mark.parametrize("value", ["1e1000000000", "1e-999999999", "-2E+99_999", "9" * 601, "1/" + "3" * 700])
def test_a_parameter_is_a_number_that_a_text_may_hold(value: str, tmp_path: Path) -> None:
    text = "archdsl 1\n\nspace net(c = 3) {\n  in image: 3x8x8\n  out y = image -> conv(c)\n}\n"
    (tmp_path / "net.arch").write_text(text, encoding="utf-8")
    found = command("check", "net.arch", "--set", f"c={value}", folder=tmp_path)
    assert found.returncode == 2
    assert "`c` cannot be set: a number has at most 600 digits, written out" in found.stderr
    assert command("check", "net.arch", "--set", "c=1e1", folder=tmp_path).returncode == 0


def fed(*arguments: str, mebibytes: int, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A command that is given that much of a comment."""
    line = f"yes '# a comment' | head -c {mebibytes}M | {sys.executable} -m archdsl {' '.join(arguments)}"
    limited = f"ulimit -v {MEMORY_KIB // 2}; {line}"
    return subprocess.run(["bash", "-c", limited], cwd=folder, env=_environment(), capture_output=True, check=False)


def test_standard_input_is_read_up_to_what_a_text_may_have(tmp_path: Path) -> None:
    found = fed("check", "-", mebibytes=1_500, folder=tmp_path)
    assert found.returncode in (1, 2), found.stderr
    assert b"error[E0003]: the file is larger than 2 MiB" in found.stdout


def test_a_text_too_large_to_be_formatted_is_written_back_whole(tmp_path: Path) -> None:
    found = fed("fmt", "-", mebibytes=5, folder=tmp_path)
    assert found.returncode == 1
    assert found.stdout == b"# a comment\n" * ((5 << 20) // 12) + b"# a comment\n"[: (5 << 20) % 12]


def test_files_that_use_each_other_a_hundred_deep_and_twice_each(tmp_path: Path) -> None:
    for number in range(100):
        text = f'archdsl 1\n\nuse "f{number + 1}.arch" as a\nuse "f{number + 1}.arch" as b\n'
        (tmp_path / f"f{number}.arch").write_text(text, encoding="utf-8")
    (tmp_path / "f100.arch").write_text("archdsl 1\n\nop o() = relu\n", encoding="utf-8")
    found = command("check", "f0.arch", folder=tmp_path)
    assert found.returncode == 0
    assert "error" not in found.stderr  # but for two warnings: neither file is used
