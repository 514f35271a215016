"""Every code has a page, every page a code, and the examples on it are what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archdsl
from archdsl.cost import codes as of_costs
from archdsl.diagnostics import page, titles
from archdsl.lint import codes as of_warnings
from archdsl.sema import codes
from tests.spec.pages import MAIN, Example

PACKAGE = Path(archdsl.__file__).parent
OF_MEANING = sorted(
    {value for module in (codes, of_costs, of_warnings) for name, value in vars(module).items() if name.isupper()}
    | {"E0503", "E0504", "E0505"}
)
_CODE = re.compile(r"[EW][0-9]{4}")
_BLOCK = re.compile(r"^```(?:arch|json|toml) (?P<rest>[^\n]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
BESIDE = {"E0024": {"long.arch": f"archdsl 1\n\n# {'long ' * 5000}\n"}}
"""Files of which a page only speaks."""
ALONG = {"E0415": ["E0411"]}
"""What else is said of a bad example: a hash is an error only where answers do not fit."""


def codes_in_sources() -> Iterator[tuple[str, str]]:
    """Each code that stands in the package as a string, and the file that it stands in."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                yield node.value, str(file.relative_to(PACKAGE))


def examples_of(code: str) -> Iterator[tuple[str, Example]]:
    """The examples of a page, `bad` or `good`, each with the files that stand before it."""
    text = page(code) or ""
    files = dict(BESIDE.get(code, {}))
    for match in _BLOCK.finditer(text):
        kind, *arguments = match["rest"].split()
        if kind in ("bad", "good"):
            line = text.count("\n", 0, match.start()) + 1
            yield kind, Example(line, {**files, MAIN: match["text"]}, tuple(arguments))
        else:
            files[kind] = match["text"]


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    found = {code for code, _ in codes_in_sources()}
    assert found == set(titles())


def test_every_code_of_the_meaning_is_reported_somewhere() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py") if file.name != "codes.py")
    unused = [name for name in vars(codes) if name.isupper() and f"codes.{name}" not in sources]
    assert unused == []


@pytest.mark.parametrize("code", OF_MEANING)
def test_a_page_reads_as_the_others_do(code: str) -> None:
    text = page(code)
    assert text is not None
    assert text.startswith(f"# {code}: {titles()[code]}\n\n")
    assert titles()[code][0].islower() or titles()[code].startswith("`")
    assert "invalid" not in text.lower()


@pytest.mark.parametrize("code", OF_MEANING)
def test_bad_examples_give_the_code_alone_and_good_ones_nothing(code: str, tmp_path: Path) -> None:
    kinds: list[str] = []
    for number, (kind, example) in enumerate(examples_of(code)):
        kinds.append(kind)
        found = [diagnostic.code for diagnostic in example.diagnostics(tmp_path / str(number))]
        assert found == ([code, *ALONG.get(code, ())] if kind == "bad" else []), (
            f"{kind} example in line {example.line}"
        )
    assert kinds == ["bad", "good"]


def test_codes_of_shapes_are_those_that_the_primitives_raise() -> None:
    raised = {code for code, file in codes_in_sources() if file.startswith("ops/")}
    assert raised
    assert raised <= set(OF_MEANING)
