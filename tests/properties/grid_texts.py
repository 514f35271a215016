"""Texts with a grid made by hypothesis: its places name what they read in every form, with a choice or without.

All maps are of one shape, so that whatever is read fits. Starts stand anywhere, too few or too many of them.
"""

from __future__ import annotations

from hypothesis import strategies as st

HEAD = """archdsl 1

op skip() {
  in x
  out x
}

op half() = conv(4)

cell one() {
  in x
  choose operator in {skip, half}
  out x -> operator
}

cell two() {
  in before, last
  out sum({before, last}) -> half
}

cell fine() {
  in x
  out stay = x -> half
}
"""
CELLS = ("one", "two", "fine")


@st.composite
def grid_texts(draw: st.DrawFn) -> str:
    """A text with one space `net` of one grid."""
    cell = draw(st.sampled_from(CELLS))
    flat = draw(st.booleans())
    output = ".stay" if cell == "fine" else ""
    axes, first = ("i in 1..3", "g[1]") if flat else ("i in 1..3, j in 1..2", "g[1][1]")
    starts = draw(st.lists(st.sampled_from(_places(flat=flat)), max_size=2, unique=True))
    if draw(st.booleans()):
        starts = [first.removeprefix("g"), *(each for each in starts if each != first.removeprefix("g"))]
    lines = [f"start {place} = {draw(st.sampled_from(['stem', 'image, stem', 'stem -> half']))}" for place in starts]
    read = [draw(_read(flat, output)) for _ in range(2)]
    if draw(st.booleans()):
        lines.append(f"line = {read[0]}")
        read[0] = draw(st.sampled_from(["line", "line -> half"]))
    if draw(st.booleans()):
        several = ", ".join(draw(st.lists(_read(flat, output), min_size=1, max_size=3, unique=True)))
        per = draw(st.sampled_from(["", " per branch"]))
        lines.append(f"choose source in {{{several}}}{per}")
        if draw(st.booleans()):
            read[1] = "source"
        read[0] = draw(st.sampled_from([read[0], "source.prev"])) if read[1] == "source" else read[0]
    ports = ", ".join(read if cell == "two" else read[1:])
    lines.append(f"{draw(st.sampled_from(['', 'each ']))}{cell}({ports})")
    last = draw(st.sampled_from(_places(flat=flat)[-2:]))
    body = "".join(f"    {line}\n" for line in lines)
    return (
        f"{HEAD}\nspace net() {{\n  in image: 4x8x8\n  stem = image -> conv(4)\n  g = grid({axes}) {{\n{body}  }}\n"
        f"  out y = concat(g{last}{output}, stem)\n}}\n"
    )


def _places(*, flat: bool) -> list[str]:
    return [f"[{i}]" for i in (1, 2, 3)] if flat else [f"[{i}][{j}]" for i in (1, 2, 3) for j in (1, 2)]


@st.composite
def _read(draw: st.DrawFn, flat: bool, output: str) -> str:
    places = ["g[i - 1]", "g[i - 2]"] if flat else ["g[i - 1][j]", "g[i - 1][j - 1]", "g[i - 1][j + 1]", "g[i][j - 1]"]
    p, q = (f"{draw(st.sampled_from(places))}{output}" for _ in range(2))
    several = "g[1..(i - 1)]" if flat else "g[i - 1][{1, 2}]"
    bound = "g[i - k]" if flat else "g[i - 1][k]"
    return draw(
        st.sampled_from(
            [
                p,
                f"{p} -> half",
                f"{p} + {q}",
                f"sum({{{p}, {q}}})",
                f"concat({p}, {q}) -> half",
                f"sum({several}{output})",
                f"sum({bound}{output} for k in {{1, 2}})",
                f"concat({bound}{output} for k in 1..2) -> half",
                f"({p} -> half) + stem",
                "stem",
            ]
        )
    )
