"""Small spaces made by hypothesis in which channel counts are asked: of convs, joins, gates, cells, cases on channels.

Maps are of one size; each is kept with its channel count as a text, so that sums are of maps that fit.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

HEAD = """archdsl 1

op skip() {
  in x
  out x
}

op wide(c, k = 3) = conv(c, k = k) -> bn -> relu
op separable(c) = relu -> dwconv -> conv(c, k = 1) -> bn

op fitting(c) {
  in x
  out case channels(x) {
    when c: x
    else: x -> conv(c, k = 1) -> bn
  }
}

op gated() {
  in x
  out multiply(x, x -> global_avg_pool -> conv(channels(x), k = 1, bias = yes) -> sigmoid)
}

op attended() {
  in x
  rows = x -> tokens(heads = channels(x))
  out matmul(matmul(rows, rows -> transpose) -> softmax(axis = "width"), rows) -> untokens(like = x)
}

cell sized(c) {
  in x
  choose operator in {wide, separable}
  out x -> operator(c)
}

cell asking() {
  in x
  choose width in {2, 3, 4}
  out x -> wide(width) -> wide(4)
}

cell residual() {
  in x
  choose expand in {1, 2}
  choose k in {1, 3}
  out x + (x -> wide(expand * channels(x), k = 1) -> dwconv(k = k) -> bn -> conv(channels(x), k = 1))
}
"""
NORMS = ("layer_norm", "group_norm(groups = 1) -> gelu", "prelu", "layer_norm(affine = no) -> prelu(shared = yes)")
PLACES = (
    "bn",
    "relu",
    "dwconv",
    "dwconv(k = 1, bias = yes)",
    "avg_pool(k = 3)",
    "bn -> relu",
    "gated",
    "attended",
    "softmax",
    *NORMS,
)
KINDS = (
    *("conv", "conv", "by channel", "concat", "add", "edge", "fitting", "case", "grouped"),
    *("chain", "exit", "residual", "window", "source", "skipped", "op"),
)


@st.composite
def wide_spaces(draw: st.DrawFn) -> str:
    """A text with one space `net` of a few maps, some as wide as an answer says."""
    maps = {"stem": "4"}
    lines = ["in image: 3x6x6", "stem = image -> conv(4) -> bn", "choose w in {2, 4, 6}", "choose v in {1, 2}"]
    for number in range(1, draw(st.integers(1, 4)) + 1):
        name = f"m{number}"
        lines_of, maps[name] = _piece(draw, draw(st.sampled_from(KINDS)), number, maps)
        lines += lines_of
    body = "\n".join(lines)
    unread = [name for name in maps if len(re.findall(rf"\b{name}\b", body)) < 2]
    joined = f"concat({', '.join(unread)})" if len(unread) > 1 else (unread or ["stem"])[0]
    last = draw(st.sampled_from(["", " -> conv(3, bias = yes)", " -> bn", " -> relu -> conv(2, k = 1)"]))
    lines.append(f"out y = {joined}{last}")
    for asked in ("w", "v"):
        if not re.search(rf"\b{asked}\b(?! in)", "\n".join(lines)):
            lines = [line for line in lines if not line.startswith(f"choose {asked} ")]
    return f"{HEAD}\nspace net() {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _piece(draw: st.DrawFn, kind: str, number: int, maps: dict[str, str]) -> tuple[list[str], str]:
    """The lines of a map, and its channels."""
    name = f"m{number}"
    source = draw(st.sampled_from(sorted(maps)))
    count = draw(st.sampled_from(["w", "2 * w", "w + 2", "w * v", "4", "6 * v"]))
    match kind:
        case "conv":
            return [f"{name} = {source} -> wide({count})"], count
        case "by channel":
            return [f"{name} = {source} -> {draw(st.sampled_from(PLACES))}"], maps[source]
        case "concat":
            several = draw(st.lists(st.sampled_from(sorted(maps)), min_size=2, max_size=3))
            return [f"{name} = concat({', '.join(several)})"], " + ".join(maps[each] for each in several)
        case "add":
            alike = [each for each in sorted(maps) if maps[each] == maps[source]]
            other = draw(st.sampled_from(alike))
            made = f"{other} -> gated" if other == source else other
            return [f"{name} = sum({source}, {made}, {source} -> conv({maps[source]}))"], maps[source]
        case "edge":
            return [f"{name} = {source} -> {{wide(c = {count}), separable(c = {count})}}"], count
        case "skipped":
            same = maps[source]
            return [f"{name} = {source} -> {{skip, wide(c = {same}), dwconv}}"], same
        case "op":
            return [f"choose q{number} in {{wide, separable}}", f"{name} = {source} -> q{number}(c = {count})"], count
        case "fitting":
            return [f"{name} = {source} -> fitting(c = {count})"], count
        case "case":
            return [
                f"{name} = case channels({source}) {{",
                f"when 1..{draw(st.integers(1, 8))}: {source} -> wide(4)",
                f"else: {source} -> conv(4, k = 1)",
                "}",
            ], "4"
        case "grouped":
            return [f"{name} = {source} -> conv(2 * w, k = 1) -> shuffle(groups = 2) -> conv(4, groups = 2)"], "4"
        case "chain":
            cell = draw(st.sampled_from([f"each sized(c = {count})", f"sized(c = {count})"]))
            return [f"{name} = chain({source}) {{", f"{cell} * {draw(st.integers(1, 2))}", "}"], count
        case "exit":
            inner = draw(st.sampled_from(["sized(c = w)", "asking()"]))
            return [
                f"h{number} = {source} -> wide({'w' if 'w' in inner else '4'})",
                f"{name} = chain(h{number}) {{",
                "choose exit in {1, 2, 3}",
                f"each {inner} * 3",
                "}",
            ], ("w" if inner.startswith("sized") else "4")
        case "residual":
            return [f"{name} = chain({source}) {{", "each residual() * 2", "}"], maps[source]
        case "window":
            return [f"choose k{number} in {{1, 3, 5}}", f"{name} = {source} -> wide({count}, k = k{number})"], count
        case _:
            return [
                f"z{number} = image -> wide({maps[source]})",
                f"choose {name} in {{{source}, z{number}}}",
            ], maps[source]
