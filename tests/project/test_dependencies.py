"""What pyproject.toml declares is what the package imports, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import archdsl
from archdsl.cli.app import app
from archdsl.extras import NEEDS, OF_CLUSTERS, PACKAGES, Extra

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MODULES: Final = {
    "google": "protobuf",
    "lightning_fabric": "lightning-fabric",
    "PIL": "pillow",
    "tensorrt_rtx": "tensorrt-rtx",
    "yaml": "pyyaml",
}
"""Modules that are named otherwise than what brings them."""

BY_NAME: Final = {
    "pygraphviz": Path("archdsl/render/engine/graphviz.py"),
    "ray": Path("archdsl/search/sweep/executors/ray.py"),
    "submitit": Path("archdsl/search/sweep/executors/slurm.py"),
    "tensorboard": Path("archdsl/train/journal.py"),
    "tensorrt_rtx": Path("archdsl/backends/tensorrt/trt_plan.py"),
}
"""Libraries without types are loaded by name, out of import-linter's sight; each where it is loaded or named."""

NOT_DECLARED: Final = {"openvino", "tensorrt"}
"""OpenVINO and the enterprise TensorRT are driven where somebody has installed them."""


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _declared() -> set[str]:
    """Of the text tools and of all extras but `dev`."""
    return {_name(line) for line in PROJECT["dependencies"]}.union(*map(_brought, Extra))


def _name(line: str) -> str:
    return re.split(r"[<>=;\[ ]", line, maxsplit=1)[0]


def _brought(extra: str) -> set[str]:
    """The distributions of an extra, with those of the extras that it takes in."""
    found: set[str] = set()
    for line in PROJECT["optional-dependencies"][extra]:
        inner = re.match(r"archdsl\[(.*)\]", line)
        found |= set[str]().union(*map(_brought, inner[1].split(","))) if inner else {_name(line)}
    return found


def test_dependencies_are_those_that_are_imported() -> None:
    programs = [*ROOT.glob("archdsl/**/*.py"), *ROOT.glob("docs/**/*.py")]
    imported = {module for file in programs for module in _imported(file)}
    foreign = (imported | set(BY_NAME)) - set(sys.stdlib_module_names) - {"archdsl", "__future__"} - NOT_DECLARED

    assert {MODULES.get(module, module) for module in foreign} == _declared()


@pytest.mark.parametrize("extra", Extra)
def test_an_extra_brings_what_messages_say_that_it_brings(extra: Extra) -> None:
    assert _brought(extra) == {each.distribution for each in PACKAGES[extra]}


def test_all_is_every_extra_but_those_of_clusters() -> None:
    assert _brought("all") == set[str]().union(*(_brought(extra) for extra in Extra if extra not in OF_CLUSTERS))
    assert "archdsl[all]" in PROJECT["optional-dependencies"]["dev"]


def test_every_command_says_what_it_needs() -> None:
    assert {use.split()[0] for use in NEEDS} == set(app.list_commands(app.make_context("archdsl", ["doctor"])))


@pytest.mark.parametrize(("module", "owner"), BY_NAME.items())
def test_libraries_loaded_by_name_have_one_owner(module: str, owner: Path) -> None:
    loading = re.compile(rf"""(import_module\(|return )["']{module}["'.]""")

    assert [file.relative_to(ROOT) for file in ROOT.glob("archdsl/**/*.py") if loading.search(file.read_text())] == [
        owner
    ]


def test_the_package_knows_its_version() -> None:
    assert archdsl.__version__ == PROJECT["version"]
