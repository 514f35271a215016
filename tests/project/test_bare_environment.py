"""`pip install archdsl` alone: texts are read, and a command that lacks an extra says the line that brings it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Final

import pytest

from archdsl.extras import NEEDS, PACKAGES

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
STUDENT: Final = "spaces/genotypes/fasterseg_student.arch"
LOGITS: Final = "spaces/logits/fasterseg_student.json"
CELL: Final = """archdsl 1

use nasbench201

genotype found of nasbench201 {
  answer normal {
    x1 = x0 -> none
    x2 = x0 -> none + x1 -> none
    x3 = x0 -> none + x1 -> none + x2 -> skip_connect
  }
}
"""
TEACHER: Final = "spaces/genotypes/fasterseg_teacher.arch"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new virtual environment with the wheel and its base dependencies in it."""
    folder = tmp_path_factory.mktemp("bare")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=300)
    python = folder / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", str(wheel)]
    if subprocess.run(install, check=False, capture_output=True, env=_environment(), timeout=600).returncode:
        _copy_in(python, wheel)  # no index can be reached
    return python


def _copy_in(python: Path, wheel: Path) -> None:
    """Put the wheel, and the base dependencies as they are installed here, beside the new interpreter's packages."""
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    for name in set(_needed(PROJECT["dependencies"])):
        found = distribution(name)
        for file in found.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                place = site / file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), place)


def _needed(lines: Iterable[str]) -> Iterator[str]:
    """The distributions that requirements without a condition name, and what those need."""
    for line in lines:
        if ";" not in line:
            name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
            yield name
            yield from _needed(requires(name) or ())


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that holds the texts of the repository."""
    shutil.copytree(ROOT / "spaces", tmp_path / "spaces")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "cell.txt").write_text("|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|\n", encoding="utf-8")
    (tmp_path / "cell.arch").write_text(CELL, encoding="utf-8")
    return tmp_path


def finish(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**_environment(), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [str(python), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=300
    )


def test_nothing_of_the_extras_is_there(python: Path, folder: Path) -> None:
    modules = sorted({package.module for packages in PACKAGES.values() for package in packages})
    program = f"import importlib\nfor name in {modules}:\n  try: importlib.import_module(name)\n"
    done = finish(python, folder, "-c", f"{program}  except ModuleNotFoundError: continue\n  print(name)")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "spaces"),
        ("fmt", "--check", "spaces"),
        ("explain", "E0502"),
        ("show", STUDENT),
        ("stats", STUDENT),
        ("stats", "spaces/fasterseg.arch"),
        ("diff", STUDENT, TEACHER),
        ("sample", "spaces/cas.arch:cas", "--count", "2"),
        ("derive", "spaces/fasterseg.arch", "--logits", LOGITS, "--ends", "a=16,b=32"),
        ("expand", STUDENT),
        ("cost", "rows", STUDENT),
        ("draw", STUDENT, "-o", "student.dot"),
        ("new", "space", "mine"),
        ("import", "cell.txt"),
        ("export", "nasbench201", "cell.arch"),
        ("data", "--help"),
    ],
    ids=" ".join,
)
def test_texts_need_no_extra(python: Path, folder: Path, arguments: tuple[str, ...]) -> None:
    done = finish(python, folder, "-m", "archdsl", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


LACKING: Final[dict[str, tuple[str, ...]]] = {
    "draw": ("draw", STUDENT, "-o", "student.svg"),
    "diff --format svg": ("diff", STUDENT, TEACHER, "--format", "svg", "-o", "changes.svg"),
    "weights": ("weights", "map", "student.safetensors", STUDENT),
    "import FILE.onnx": ("import", "student.onnx"),
    "import FILE.yaml": ("import", "yolo.yaml"),
    "compile --target torch": ("compile", STUDENT, "--target", "torch"),
    "compile --target onnx": ("compile", STUDENT, "--target", "onnx"),
    "compile --target trt": ("compile", STUDENT, "--target", "trt"),
    "compile --target onnx --verify": ("compile", STUDENT, "--target", "onnx", "--verify"),
    "compile --target trt --verify": ("compile", STUDENT, "--target", "trt", "--verify"),
    "verify": ("verify", STUDENT, "."),
    "verify FILE.onnx": ("verify", STUDENT, "student.onnx"),
    "verify FILE.plan": ("verify", STUDENT, "student.rtx.plan"),
    "bench FILE.py": ("bench", "student.py"),
    "bench FILE.onnx": ("bench", "student.onnx"),
    "bench FILE.plan": ("bench", "student.rtx.plan"),
    "cost fit": ("cost", "fit", "spaces/fasterseg.arch", "--measured", STUDENT),
    "cost sensitivity": ("cost", "sensitivity", "--gap", "width=1"),
    "cost fill --runtime eager": ("cost", "fill", STUDENT, "--runtime", "eager", "-o", "eager.json"),
    "cost fill --runtime ort": ("cost", "fill", STUDENT, "--runtime", "ort", "-o", "ort.json"),
    "cost fill --runtime compile": ("cost", "fill", STUDENT, "--runtime", "compile", "-o", "compile.json"),
    "cost fill --runtime openvino": ("cost", "fill", STUDENT, "--runtime", "openvino", "-o", "openvino.json"),
    "cost fill --runtime trt": ("cost", "fill", STUDENT, "--runtime", "trt", "--device", "cuda", "-o", "trt.json"),
    "data": ("data", "check", "streets"),
    "train": ("train", STUDENT, "--out", "run"),
    "sweep": ("sweep", STUDENT, "--command", "train", "--out", "runs"),
    "sweep --executor ray": ("sweep", STUDENT, "--executor", "ray", "--out", "runs"),
    "sweep --executor slurm": ("sweep", STUDENT, "--executor", "slurm", "--out", "runs"),
    "report": ("report", "spaces", "-o", "page.html"),
    "view": ("view", "spaces"),
    "rank": ("rank", "spaces"),
    "baseline": ("baseline", "spaces/fasterseg.arch", "--by", "random", "--out", "run"),
    "search": ("search", "spaces/gas.arch", "--out", "run"),
    "eval": ("eval", STUDENT, "--weights", "spaces"),
    "eval FILE.onnx": ("eval", "student.onnx"),
    "predict": ("predict", STUDENT, "spaces", "-o", "painted"),
    "predict FILE.onnx": ("predict", "student.onnx", "spaces", "-o", "painted"),
}


def test_every_use_of_an_extra_is_tried() -> None:
    assert LACKING.keys() == {use for use, extras in NEEDS.items() if extras}


@pytest.mark.parametrize("use", LACKING)
def test_what_is_missing_is_said_with_the_line_that_brings_it(python: Path, folder: Path, use: str) -> None:
    done = finish(python, folder, "-m", "archdsl", *LACKING[use])
    lines = [f"is not installed: pip install 'archdsl[{extra}]'\n" for extra in NEEDS[use]]
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    assert any(done.stderr.endswith(line) for line in lines), done.stderr


def test_doctor_names_one_line_for_all(python: Path, folder: Path) -> None:
    done = finish(python, folder, "-m", "archdsl", "doctor")
    assert done.returncode == 3
    assert done.stdout.endswith("  pip install 'archdsl[cost,draw,onnx,torch,trt,train,yaml]'\n")
    assert re.search(r"^ +text tools +ready +check, fmt", done.stdout, re.MULTILINE)
    assert re.search(r"^ +torch +not ready +cost fill --runtime eager", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("call", "extra"),
    [
        (f"build({STUDENT!r})", "torch"),
        (f"compile({STUDENT!r}, 'torch')", "torch"),
        (f"compile({STUDENT!r}, 'onnx')", "onnx"),
    ],
)
def test_the_api_says_the_same(python: Path, folder: Path, call: str, extra: str) -> None:
    program = f"import archdsl\ntry: archdsl.{call}\nexcept archdsl.ToolMissing as missing: print(missing.install_line)"
    done = finish(python, folder, "-c", program)
    assert done.stdout == f"pip install 'archdsl[{extra}]'\n", done.stderr
