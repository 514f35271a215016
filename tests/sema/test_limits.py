"""Property 6: what a text demands is counted before it is done, and a text that demands too much is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.sema.driver import ALSO_LIMIT
from archdsl.sema.elaborate import builder, limits
from archdsl.sema.elaborate.limits import DEPTH_LIMIT, STEP_LIMIT, Budget
from archdsl.sema.reporter import REPORT_LIMIT
from archdsl.session import Checked, Session, Text
from archdsl.text import SourceFile

CALLS = """archdsl 1

op one(c) = conv(c) -> conv(c) -> conv(c) -> conv(c)
op two(c) = one(c) -> one(c) -> one(c) -> one(c)
op three(c) = two(c) -> two(c) -> two(c) -> two(c)

space net() {
  in image: 3x8x8
  out logits = image -> three(3)
}
"""


def checked(folder: Path, text: str) -> Checked:
    file = folder / "space.arch"
    file.write_text(text, encoding="utf-8")
    return Session().check(Text(SourceFile(str(file), text), file))


def test_nodes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (meaning,) = checked(tmp_path, CALLS).meanings
    count = len(meaning.program.nodes)
    assert count == 64 + 2
    monkeypatch.setattr(builder, "NODE_LIMIT", count)
    assert checked(tmp_path, CALLS).diagnostics == ()
    monkeypatch.setattr(builder, "NODE_LIMIT", count - 1)
    (diagnostic,) = checked(tmp_path, CALLS).diagnostics
    assert diagnostic.code == "E0023"
    assert "more than 65 nodes" in diagnostic.message


STANDS_IN_ITSELF = {
    "chain": "t = chain(x) {\n    a()\n  }\n  out t",
    "hyper": "t = hyper(x) {\n    a()\n    a()\n  }\n  out t",
    "grid": "g = grid(l in 1..2) {\n    start [1] = x\n    a(g[l - 1])\n  }\n  out g[2]",
    "edge": "out x -> a",
    "argument": "out sum({a(x), x})",
    "choice": "choose o in {a, relu}\n  out x -> o",
}


@pytest.mark.parametrize("body", STANDS_IN_ITSELF.values(), ids=STANDS_IN_ITSELF.keys())
@pytest.mark.parametrize("between", [0, 1, 5])
def test_a_cell_in_itself_is_a_circle_and_is_shown(tmp_path: Path, body: str, between: int) -> None:
    """Alone, or through further cells."""
    names = [f"b{n}" for n in range(between)]
    nexts = [*names, "a"]
    cells = f"cell a() {{\n  in x\n  {body.replace('a(', nexts[0] + '(').replace('{a,', '{' + nexts[0] + ',')}\n}}\n\n"
    cells = cells.replace("-> a\n", f"-> {nexts[0]}\n")
    for name, held in zip(names, nexts[1:], strict=True):
        cells += f"cell {name}() {{\n  in x\n  t = chain(x) {{\n    {held}()\n  }}\n  out t\n}}\n\n"
    text = f"archdsl 1\n\n{cells}space net() {{\n  in image: 3x8x8\n  out y = a(image)\n}}\n"
    (diagnostic,) = checked(tmp_path, text).diagnostics
    assert diagnostic.code == "E0401"
    circle = [diagnostic.message.split("`")[1]]
    while len(circle) <= between:
        circle.append((nexts * 2)[(["a", *nexts].index(circle[-1])) % len(nexts)])
    shown = " uses ".join(f"`{name}`" for name in (*circle, circle[0]))
    assert diagnostic.message == f"`{circle[0]}` uses itself" + (f": {shown}" if between else "")


def deep(form: str, levels: int) -> str:
    """Definitions `d2`, … of which each holds the one before."""
    first, step, use = {
        "cells": (
            "cell d1() {{\n  in x\n  out x -> relu\n}}\n",
            "cell d{0}() {{\n  in x\n  t = chain(x) {{\n    d{1}()\n  }}\n  out t\n}}\n",
            "d{0}(image)",
        ),
        "ops": ("op d1() = relu\n", "op d{0}() = d{1} -> relu\n", "d{0}(image)"),
        "sets": ("ops d1 = {{relu, bn}}\n", "ops d{0} = {{d{1}, conv(c = 3, d = {0})}}\n", "image -> d{0}"),
        "sums": ("ops d1 = {{relu, bn}}\n", "ops d{0} = d{1} + {{conv(c = 3, d = {0})}}\n", "image -> d{0}"),
        "names": ("ops d1 = {{relu, bn}}\n", "ops d{0} = d{1}\n", "image -> d{0}"),
    }[form]
    definitions = first.format() + "".join(step.format(n, n - 1) for n in range(2, levels + 1))
    return f"archdsl 1\n\n{definitions}\nspace net() {{\n  in image: 3x32x32\n  out y = {use.format(levels)}\n}}\n"


@pytest.mark.parametrize("form", ["cells", "ops", "sets", "sums", "names"])
def test_definitions_lie_so_deep_in_one_another_and_no_deeper(tmp_path: Path, form: str) -> None:
    assert checked(tmp_path, deep(form, DEPTH_LIMIT)).diagnostics == ()
    for levels in (DEPTH_LIMIT + 1, 1_000):
        (diagnostic,) = checked(tmp_path, deep(form, levels)).diagnostics
        assert diagnostic.code == "E0023"
        assert diagnostic.message == "ops, sets and cells lie more than 40 deep in one another"


def test_deep_expressions_in_deep_calls_are_refused(tmp_path: Path) -> None:
    """Neither is too deep by itself."""
    ops = "".join(
        f"op a{n}() {{\n  in x\n  out {'sum(' * 20}a{n - 1}(x){')' * 20}\n}}\n" for n in range(2, DEPTH_LIMIT + 1)
    )
    text = f"archdsl 1\n\nop a1() = relu\n{ops}\nspace net() {{\n  in x: 3x8x8\n  out a{DEPTH_LIMIT}(x)\n}}\n"
    (diagnostic,) = checked(tmp_path, text).diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E0023", "what `net` computes lies too deep in itself")


DOUBLES = {
    "sets": ("ops d0 = {{relu, bn}}\n", "ops d{0} = {{{{d{1}}}, d{1}}}\n", "image -> d{0}"),
    "ops without a node": (
        "op d0() {{\n  in x\n  out x\n}}\n",
        "op d{0}() {{\n  in x\n  out d{1}(d{1}(x))\n}}\n",
        "d{0}(image)",
    ),
}


@pytest.mark.parametrize("name", DOUBLES)
def test_what_doubles_is_counted_before_it_is_done(tmp_path: Path, name: str) -> None:
    first, step, use = DOUBLES[name]
    definitions = first.format() + "".join(step.format(n, n - 1) for n in range(1, 31))
    text = f"archdsl 1\n\n{definitions}\nspace net() {{\n  in image: 3x8x8\n  out y = {use.format(30)}\n}}\n"
    (diagnostic,) = checked(tmp_path, text).diagnostics
    assert diagnostic.code == "E0023"
    assert diagnostic.message == f"laying the text out takes more than {STEP_LIMIT:,} steps"


def test_a_recursion_that_ends_is_laid_out(tmp_path: Path) -> None:
    body = "  out case n {\n    when 0: x\n    else: f(x -> relu, n = n - 1)\n  }\n"
    text = f"archdsl 1\n\nop f(n) {{\n  in x\n{body}}}\n\nspace net() {{\n  in x: 3x8x8\n  out f(x, n = 30)\n}}\n"
    (meaning,) = checked(tmp_path, text).meanings
    assert len(meaning.program.nodes) == 30 + 2


def test_the_spaces_of_a_text_share_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = "space s{0}() {{\n  in x: 3x8x8\n  out x -> relu\n}}\n"
    text = "archdsl 1\n\n" + "".join(one.format(n) for n in range(50))
    found = checked(tmp_path, text)
    assert (found.diagnostics, len(found.meanings)) == ((), 50)
    monkeypatch.setattr(Budget.__init__, "__defaults__", (20 * limits.STEPS_OF_A_SPACE, None))
    found = checked(tmp_path, text)
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "E0023"
    assert diagnostic.message == f"the spaces of this text take more than {limits.TEXT_LIMIT:,} steps together"
    assert len(found.meanings) == 20


def test_mistakes_are_shown_up_to_a_limit(tmp_path: Path) -> None:
    for count in (REPORT_LIMIT, REPORT_LIMIT + 1, 5_000):
        lines = "".join(f"  x{n} = image -> nothing{n}\n" for n in range(count))
        found = checked(tmp_path, f"archdsl 1\n\nspace net() {{\n  in image: 3x8x8\n{lines}  out y = image\n}}\n")
        assert found.failed
        *shown, last = found.diagnostics
        if count == REPORT_LIMIT:
            assert last.code == "E0302"
            assert len(shown) == REPORT_LIMIT - 1
            continue
        assert {each.code for each in shown} == {"E0302"}
        assert len(shown) == REPORT_LIMIT
        assert last.code == "E0115"
        assert last.message == "the text has more than 200 mistakes; those from here on are not shown"
        assert last.primary is not None
        assert last.primary.span.text == "nothing200"


def test_warnings_are_shown_up_to_a_limit_and_stay_warnings(tmp_path: Path) -> None:
    lines = "".join(f"  x{n} = image -> relu\n" for n in range(300))
    found = checked(tmp_path, f"archdsl 1\n\nspace net() {{\n  in image: 3x8x8\n{lines}  out y = image\n}}\n")
    assert not found.failed
    assert len(found.diagnostics) == REPORT_LIMIT + 1
    assert found.diagnostics[-1].message == "the text has more than 200 warnings; those from here on are not shown"


def test_a_genotype_takes_over_so_many_others(tmp_path: Path) -> None:
    net = "space net() {\n  in x: 3x8x8\n  y = x -> {relu, bn}\n  out y\n}\n\ngenotype g0 of net {\n  y.x = relu\n}\n"
    chain = "".join(f"genotype g{n} of net {{\n  also = g{n - 1}\n}}\n" for n in range(1, ALSO_LIMIT + 2))
    found = checked(tmp_path, f"archdsl 1\n\n{net}{chain}")
    (diagnostic,) = found.diagnostics
    assert diagnostic.message == f"`g{ALSO_LIMIT + 1}` takes over the answers of more than {ALSO_LIMIT} genotypes"
    assert len(found.meanings) == ALSO_LIMIT + 2


def test_costs_are_defined_by_one_another_so_deep(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for levels, codes in ((39, []), (40, ["E0023"]), (1_000, ["E0023"])):
        lines = [f"cost c{n} = c{n + 1}\n" for n in range(levels)]
        text = f'archdsl 1\n\n{"".join(lines)}cost c{levels} = table("t.json", unit = ms)\n'
        found = [each.code for each in checked(tmp_path, text).diagnostics if each.code != "W0204"]
        assert found[:1] == codes


BODIES = {
    "chains in a chain": """
  a = chain(image) {
    node() * 4_000
  }
  b = chain(a) {
    node() * 100_001
  }
  out y = b""",
    "a range of a set": """
  choose c in {1..99_999, 1..999_999_999}
  out y = image -> conv(c)""",
    "a power of a power": """
  out y = image -> conv(9 ^ 9 ^ 9 ^ 9)""",
    "a power of a fraction": """
  out y = image -> conv((1 / 3) ^ 99_999_999)""",
    "a grid in one direction": """
  g = grid(layer in 1..100_001) {
    start [1] = image
    node(image)
  }
  out y = g[1].y""",
    "a long run of names": """
  x1..x999999 = image
  out y = x1""",
    "a range that counts down": """
  choose c in 999_999_999..1
  out y = image -> conv(c)""",
    "a window": """
  out y = image -> conv(3, k = 999_999_999)""",
    "channels": """
  out y = image -> conv(999_999_999_999)""",
    "groups": """
  out y = image -> conv(999_999_999, groups = 999_999_999)""",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_small_text_with_large_numbers_comes_to_an_end(tmp_path: Path, body: str) -> None:
    cell = "cell node() {\n  in x\n  out x -> relu\n}\n"
    found = checked(tmp_path, f"archdsl 1\n\n{cell}\nspace net() {{\n  in image: 3x8x8{body}\n}}\n")
    assert len(found.diagnostics) <= 2
    assert found.failed or found.meanings


def test_questions_upon_questions_are_as_many_as_they_are_written(tmp_path: Path) -> None:
    """Twenty choices of ten ops each are 10^20 networks, and one small program."""
    lines = ["  x0 = image -> conv(8)"]
    lines += [f"  x{n} = x{n - 1} -> {{conv3x3(c = 8), conv1x1(c = 8), identity(c = 8)}}" for n in range(1, 21)]
    body = "\n".join(lines)
    found = checked(tmp_path, f"archdsl 1\n\nuse std\n\nspace net() {{\n  in image: 3x8x8\n{body}\n  out y = x20\n}}\n")
    assert found.diagnostics == ()
    (meaning,) = found.meanings
    assert len(meaning.program.questions) == 20
    assert len(meaning.program.nodes) < 20 * 12
