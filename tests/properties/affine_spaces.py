"""Small spaces whose networks are affine in the weights of each question: what they write is the mean over genotypes.

No map is absent under any answer, nothing is nonlinear, and no question is asked twice on a way from image to output.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

HEAD = """archdsl 1

op skip() {
  in x
  out x
}

op one() = conv(4)
op two() = conv(4, k = 1, bias = yes) -> dwconv -> bn
op pooled() = avg_pool(k = 3)

cell edge() {
  in x
  choose operator in {skip, one, two, pooled}
  out x -> operator
}

cell sums() {
  in prev2, prev
  x1 = sum({prev2, prev} -> {one, skip, zero})
  out x1
}
"""
KINDS = ("edge", "sum", "op", "source", "chain", "exit", "prev", "window", "width", "joined", "added", "number", "grid")


@st.composite
def affine_spaces(draw: st.DrawFn) -> str:
    """A text with one space `net`."""
    maps = ["stem"]
    lines = ["in image: 4x5x5", "stem = image -> conv(4)"]
    for number in range(1, draw(st.integers(1, 3)) + 1):
        one, other = draw(st.sampled_from(maps)), draw(st.sampled_from(maps))
        lines += _piece(draw(st.sampled_from(KINDS)), number, one, other)
        maps.append(f"m{number}")
    unread = [name for name in maps if len(re.findall(rf"\b{name}\b", "\n".join(lines))) < 2]
    joined = f"concat({', '.join(unread)})" if len(unread) > 1 else unread[0]
    lines.append(f"out y = {joined} -> conv(2, k = 1)")
    return f"{HEAD}\nspace net() {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def _piece(kind: str, number: int, one: str, other: str) -> list[str]:
    name = f"m{number}"
    match kind:
        case "edge":
            return [f"{name} = {one} -> {{one, skip, pooled}}"]
        case "sum":
            return [f"{name} = sum({{{one}, image}} -> {{one, two}}, {other})"]
        case "op":
            return [
                f"choose q{number} in {{one, skip}}",
                f"{name} = sum({one} -> q{number}, {other} -> conv(4) -> q{number})",
            ]
        case "source":
            return [f"z{number} = image -> {{one, skip}}", f"choose {name} in {{{one}, z{number}}}"]
        case "chain":
            return [f"{name} = chain({one}, {other}) {{", "each edge()", "each sums()", "}"]
        case "exit":
            return [
                f"{name} = chain({one}) {{",
                "choose exit in {1, 2, 3}",
                "each edge()",
                "each edge()",
                "edge()",
                "}",
            ]
        case "prev":
            return [
                f"h{number} = chain({one}) {{",
                "choose exit in {2, 3}",
                *(["each edge()"] * 3),
                "}",
                f"{name} = sum(h{number}, h{number}.prev -> conv(4))",
            ]
        case "window":
            return [f"choose k{number} in {{1, 3, 5}}", f"{name} = {one} -> conv(4, k = k{number})"]
        case "width":
            return [f"choose w{number} in {{2, 3, 6}}", f"{name} = {one} -> conv(w{number}) -> dwconv -> conv(4)"]
        case "joined":
            return [
                f"choose w{number} in {{2, 4}}",
                f"choose v{number} in {{1, 2, 3}}",
                f"z{number} = concat({one} -> conv(w{number}), {other}, image -> conv(2 * v{number}, k = 1))",
                f"{name} = z{number} -> {{conv(c = 4), conv(c = 4, k = 1)}}",
            ]
        case "added":
            return [
                f"choose w{number} in {{1, 2, 4}}",
                f"a{number} = {one} -> {{conv(c = w{number}), conv(c = w{number}, k = 1)}}",
                f"z{number} = sum(a{number}, {other} -> conv(w{number}))",
                f"{name} = sum(z{number} -> conv(4), {one})",
            ]
        case "number":
            return [
                f"choose w{number} in {{2, 4}}",
                f"choose v{number} in {{1, 3}}",
                f"z{number} = {one} -> conv(w{number} * v{number} + 1)",
                f"{name} = sum(z{number} -> conv(4), z{number} -> avg_pool(k = 3) -> conv(4, k = 1))",
            ]
        case _:
            return [
                f"g{number} = grid(i in 1..3, j in {{1, 2}}) {{",
                f"start [1][1] = {one}",
                f"choose source in {{g{number}[i - 1][j], g{number}[i - 1][j - 1]}}",
                "each edge(source)",
                "}",
                f"{name} = sum(g{number}[3][1], g{number}[3][2])",
            ]
