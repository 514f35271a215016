"""Small spaces made by hypothesis: all maps are of one shape, so that whatever is put together fits."""

from __future__ import annotations

import re

from hypothesis import strategies as st

HEAD = """archdsl 1

op skip() {
  in x
  out x
}

op half() = conv(4)
op deep() = conv(4) -> relu
op through(w) = conv(w) -> conv(4)

cell plain() {
  in x
  choose operator in {skip, half}
  out x -> operator
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
"""
CELLS = ("plain()", "each plain()", "plain@tag()", "kept()", "last()", "each last()")
OPS = ("skip", "half", "deep", "through(w = 2)")


@st.composite
def small_spaces(draw: st.DrawFn) -> str:
    """A text with one space `net` of a few questions, most of which hang together."""
    maps = ["stem"]
    lines = ["in image: 4x8x8", "stem = image -> conv(4)"]
    for number in range(1, draw(st.integers(1, 4)) + 1):
        name, source, other = f"m{number}", draw(st.sampled_from(maps)), draw(st.sampled_from(maps))
        match draw(st.sampled_from(["edge", "sum", "keep", "op", "width", "source", "chain", "hyper", "exit"])):
            case "edge":
                lines.append(f"{name} = {source} -> {{{_some(draw)}}}")
            case "sum":
                lines.append(f"{name} = sum({source} -> half, {other} -> {{{_some(draw)}}})")
            case "keep":
                several = ", ".join(draw(st.lists(st.sampled_from(maps), min_size=1, max_size=3, unique=True)))
                lines.append(f"z{number} = image -> half")
                lines.append(f"{name} = sum({{{several}, z{number}}}, keep = 1)")
            case "op":
                lines += [
                    f"choose q{number} in {{{_some(draw)}}}",
                    f"{name} = sum({source} -> q{number}, {other} -> q{number} -> half)",
                ]
            case "width":
                lines += [f"choose w{number} in {{2, 4, 6}}", f"{name} = {source} -> {{through(w = w{number}), skip}}"]
            case "source":
                lines += [f"z{number} = image -> {{{_some(draw)}}}", f"choose {name} in {{{source}, z{number}}}"]
            case kind:
                structure = "hyper" if kind == "hyper" else "chain"
                cells = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=2))
                lines.append(f"{name} = {structure}({source}, {other}) {{")
                lines += ["choose exit in {1, 2}"] if kind == "exit" and len(cells) == 2 else []
                lines += [*cells, "}"]
        maps.append(name)
    body = "\n".join(lines)
    unread = [name for name in maps if len(re.findall(rf"\b{name}\b", body)) < 2]
    lines.append(f"out y = concat({', '.join(unread)})" if len(unread) > 1 else f"out y = {unread[0]}")
    return f"{HEAD}\nspace net() {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _some(draw: st.DrawFn) -> str:
    return ", ".join(draw(st.lists(st.sampled_from(OPS), min_size=1, max_size=3, unique=True)))
