"""Small spaces made by hypothesis: all maps are of one shape, so that whatever is put together fits.

Every construct that asks is among them, in the space itself and inside of cells: edges, sums with `keep` over bare and
piped maps, named ops, widths and sources, chains, hyper-cells, exits, grids with and without branches. Names collide
where the language lets them: branches, cells and lines are called alike.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

HEAD = """archdsl 1

op skip() {
  in x
  out x
}

op half() = conv(4)
op deep() = conv(4) -> bn -> relu
op through(w) = conv(w) -> bn -> conv(4)

cell plain() {
  in x
  choose operator in {skip, half}
  out x -> operator
}

cell a() {
  in x
  choose operator in {skip, half}
  out x -> operator
}

cell tail() {
  in x
  choose stem in {skip, half}
  out x -> stem
}

cell kept() {
  in prev2, prev
  x1..x2 = sum({prev2, prev, earlier} -> {skip, half}, keep = 1)
  out sum(x1, x2)
}

cell last() {
  in prev2, prev
  x1 = prev2 -> {half, deep}
  x2 = sum({prev, x1}, keep = 1)
  out x2
}

cell loosely() {
  in prev2, prev
  x1..x3 = sum({prev2, prev, earlier} -> {skip, half}, keep = 1)
  out concat(loose(x1..x3)) -> half
}

cell sourced() {
  in prev2, prev
  x1 = prev -> half
  x2 = prev2 -> {half, deep}
  choose source in {x1, x2, prev}
  x3 = source -> half
  out concat(loose(x1..x3)) -> half
}

cell own() {
  in x
  choose operator in {skip, half} per branch
  out x -> operator
}

cell given(a) {
  in x
  out x -> a
}

cell twice() {
  in x
  choose operator in {deep, half}
  y = x -> operator(weights@a)
  out y -> {half, deep(weights@b), deep(weights@each)} + x -> operator(weights@a)
}

cell outer() {
  in x
  t = chain(x, x) {
    each plain()
    each kept()
  }
  out t
}

cell gridded() {
  in x
  t = grid(i in 1..3, j in {1, 2}) {
    start [1][1] = x
    choose source in {t[i - 1][j], t[i - 1][j - 1]}
    each plain(source)
  }
  out sum(t[3][1], t[3][2])
}

cell branched() {
  in x
  t = grid(i in 1..3, j in {1, 2, 3}) {
    start [1][1] = x
    choose source in {t[i - 1][j], t[i - 1][j - 1]} per branch
    own(source)
  }
  branches a, b in t[3]
  out sum(a.last, b.last)
}
"""
CELLS = (
    *("plain()", "each plain()", "plain@tag()", "a()", "kept()", "last()", "each last()", "each outer()"),
    *("loosely()", "each sourced()"),
)
NESTED = ("outer", "gridded", "branched")
OPS = ("skip", "half", "deep", "through(w = 2)")
KINDS = (
    *("edge", "sum", "keep", "piped keep", "op", "width", "source", "chain", "hyper", "exit"),
    *("nested", "each nested", "grid", "branches", "shared op", "alike", "weights", "chosen weights", "cell weights"),
)
GRID_CELLS = ("each plain(source)", "each plain(source, weights@g)", "plain(source)", "plain@tag(source)", "a(source)")
BRANCH_CELLS = (
    "each own(source)",
    "each own(source, weights@g)",
    "own(source)",
    "own@tag(source)",
    "each plain(source)",
    "a(source)",
)


@st.composite
def small_spaces(draw: st.DrawFn) -> str:
    """A text with one space `net` of a few questions, most of which hang together."""
    maps = ["stem"]
    lines = ["in image: 4x8x8", "stem = image -> conv(4)"]
    for number in range(1, draw(st.integers(1, 3)) + 1):
        name = f"m{number}"
        source, other = draw(st.sampled_from(maps)), draw(st.sampled_from(maps))
        lines += _piece(draw, draw(st.sampled_from(KINDS)), number, name, source, other, maps)
        maps.append(name)
    body = "\n".join(lines)
    unread = [name for name in maps if len(re.findall(rf"\b{name}\b", body)) < 2]
    lines.append(f"out y = concat({', '.join(unread)})" if len(unread) > 1 else f"out y = {(unread or maps)[-1]}")
    return f"{HEAD}\nspace net() {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _piece(draw: st.DrawFn, kind: str, number: int, name: str, source: str, other: str, maps: list[str]) -> list[str]:
    match kind:
        case "edge":
            return [f"{name} = {source} -> {{{_some(draw)}}}"]
        case "sum":
            return [f"{name} = sum({source} -> half, {other} -> {{{_some(draw)}}})"]
        case "keep":
            several = ", ".join(draw(st.lists(st.sampled_from(maps), min_size=1, max_size=3, unique=True)))
            return [f"z{number} = image -> half", f"{name} = sum({{{several}, z{number}}}, keep = 1)"]
        case "piped keep":
            ops = f"{{{_some(draw)}}}" if draw(st.booleans()) else "half"
            bare = draw(st.sampled_from([source, "image"]))
            return [f"{name} = sum({{{bare}, {source} -> {ops}, image -> deep}}, keep = {draw(st.integers(1, 2))})"]
        case "op":
            return [
                f"choose q{number} in {{{_some(draw)}}}",
                f"{name} = sum({source} -> q{number}, {other} -> q{number} -> half)",
            ]
        case "width":
            return [f"choose w{number} in {{2, 4, 6}}", f"{name} = {source} -> {{through(w = w{number}), skip}}"]
        case "source":
            return [f"z{number} = image -> {{{_some(draw)}}}", f"choose {name} in {{{source}, z{number}}}"]
        case "nested":
            return [f"{name} = {source} -> {draw(st.sampled_from(NESTED))}"]
        case "each nested":
            cell = draw(st.sampled_from(NESTED))
            place = draw(st.sampled_from([f"each {cell}()", f"{cell}()", f"{cell}@tag()"]))
            return [f"{name} = chain({source}) {{", place, "}"]
        case "weights":
            first, second = (draw(st.sampled_from(["half", "deep"])) for _ in range(2))
            shared = f"-> {first}(weights@w{number}) -> {second}(weights@v{number})"
            return (
                [f"{name} = sum({source} {shared}, {other} {shared})"]
                if number == 1
                else [f"{name} = {source} {shared}"]
            )
        case "chosen weights":
            return [
                f"choose q{number} in {{{_some(draw)}}}",
                f"{name} = sum({source} -> q{number}(weights@w{number}), {other} -> q{number}(weights@w{number}))",
            ]
        case "cell weights":
            cell = draw(st.sampled_from(["twice", "outer", "plain", "gridded", "branched"]))
            times = draw(st.integers(1, 3))
            each = draw(st.sampled_from(["", "each "]))
            return [
                f"z{number} = chain({source}) {{",
                f"{each}{cell}(weights@w{number}) * {times}",
                "}",
                f"{name} = sum(z{number}, {other} -> {cell}(weights@w{number}))",
            ]
        case "grid":
            return [
                *_grid(number, source, draw(st.sampled_from(GRID_CELLS)), "{1, 2}", per_branch=False),
                f"{name} = {draw(st.sampled_from([f'g{number}[3][1]', f'sum(g{number}[3][1], g{number}[3][2])']))}",
            ]
        case "branches":
            one, two = ("a", "b") if number == 1 else (f"a{number}", f"b{number}")
            first = draw(st.sampled_from([f"{one}.last", f"{one}.at(1)", f"{one}.at(2)", f"{two}.at(3)"]))
            first += draw(st.sampled_from(["", " -> half", " -> {half, skip}"]))
            return [
                *_grid(number, source, draw(st.sampled_from(BRANCH_CELLS)), "{1, 2, 3}", per_branch=True),
                f"branches {one}, {two} in g{number}[3]",
                f"{name} = sum({first}, {two}.last)",
            ]
        case "shared op":
            # `a.operator` is an answer of branch `a` and a question of cell `a`; a parameter is `a`, too.
            if number > 1:
                return [f"{name} = {source} -> {{{_some(draw)}}}"]
            cell = draw(st.sampled_from(["own(source)", "given(source, a = operator)"]))
            return [
                "choose operator in {skip, half} per branch",
                f"head = chain({source}) {{",
                "a()",
                "}",
                *_grid(number, "head", cell, "{1, 2, 3}", per_branch=True),
                "branches a, b in g1[3]",
                f"{name} = sum(a.last -> operator, b.last -> operator)",
            ]
        case "alike":
            # `tail.stem` is the question of the cell `tail` and that of the edge from `stem` to the line `tail`.
            if number > 1:
                return [f"{name} = {source} -> {{{_some(draw)}}}"]
            line = f"tail = stem -> {{{_some(draw)}}}"
            return [f"before = chain({source}) {{", "tail()", "}", line, f"{name} = sum(before, tail)"]
        case _:
            structure = "hyper" if kind == "hyper" else "chain"
            cells = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=2))
            exit = ["choose exit in {1, 2}"] if kind == "exit" and len(cells) == 2 else []
            return [f"{name} = {structure}({source}, {other}) {{", *exit, *cells, "}"]


def _grid(number: int, source: str, cell: str, columns: str, *, per_branch: bool) -> list[str]:
    name, per = f"g{number}", " per branch" if per_branch else ""
    return [
        f"{name} = grid(i in 1..3, j in {columns}) {{",
        f"start [1][1] = {source}",
        f"choose source in {{{name}[i - 1][j], {name}[i - 1][j - 1]}}{per}",
        cell,
        "}",
    ]


def _some(draw: st.DrawFn) -> str:
    return ", ".join(draw(st.lists(st.sampled_from(OPS), min_size=1, max_size=3, unique=True)))
