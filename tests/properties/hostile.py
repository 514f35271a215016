"""Small texts that ask for much, each by its name."""

from __future__ import annotations

HEAD = "archdsl 1\n\nuse std\n\n"
CELL = "cell node() {\n  in x\n  out x -> relu\n}\n\n"


def space(body: str, before: str = "") -> str:
    """A space with an image and these lines."""
    lines = "".join(f"  {line}\n" for line in body.strip().splitlines())
    return f"{HEAD}{before}space net() {{\n  in image: 3x8x8\n{lines}}}\n"


def doubled(first: str, step: str, times: int) -> str:
    """`op o1`, and up to `op o30` each of which calls the one before it twice."""
    return "".join(
        [f"op o1() = {first}\n", *(f"op o{n}() = {step.format(n - 1)}\n" for n in range(2, times + 1)), "\n"]
    )


def joined(count: int, each: str, between: str = ", ") -> str:
    return between.join(each.format(n) for n in range(1, count + 1))


SUM = joined(12, "w{0}", " + ")
WIDTHS = "\n".join(f"choose w{n} in {{1, 2, 4, 8}}" for n in range(1, 13))

SPACES: dict[str, str] = {
    "ten million cells": space("t = chain(image) {\n  node() * 10_000_000\n}\nout y = t", CELL),
    "repeats in a repeat": space("t = chain(image) {\n  node() * (9_000 * 9_000) ^ 9\n}\nout y = t", CELL),
    "a chain of chains": space(
        "t = chain(image) {\n  tower() * 900\n}\nout y = t",
        CELL + "cell tower() {\n  in x\n  t = chain(x) {\n    node() * 900\n  }\n  out t\n}\n\n",
    ),
    "ops that double": space("out y = image -> o40", doubled("relu", "o{0} -> o{0}", 40)),
    "sums that double": space(
        "out y = image -> o40",
        "op o1() = relu\n"
        + "".join(f"op o{n}() {{\n  in x\n  out o{n - 1}(x) + o{n - 1}(x)\n}}\n" for n in range(2, 41)),
    ),
    "an op that calls itself": space("out y = image -> o", "op o() = relu -> o\n\n"),
    "cells that double": space(
        "t = chain(image) {\n  c30()\n}\nout y = t",
        "cell c1() {\n  in x\n  out x -> relu\n}\n"
        + "".join(f"cell c{n}() {{\n  in x\n  out c{n - 1}(x) + c{n - 1}(x)\n}}\n" for n in range(2, 31)),
    ),
    "a hundred sets in a row": space(f"out y = image{' -> {relu, bn}' * 100}"),
    "sets of sets": space(
        "out y = image -> s9",
        "ops s1 = {relu, bn}\n" + "".join(f"ops s{n} = {{s{n - 1}, s{n - 1}}}\n" for n in range(2, 10)) + "\n",
    ),
    "a choice of ops that call choices": space(
        "out y = image -> o20",
        "op o1() = {relu, bn}\n" + "".join(f"op o{n}() = {{o{n - 1}, o{n - 1} -> relu}}\n" for n in range(2, 21)),
    ),
    "a range of a thousand million": space("out y = sum(image -> conv(r) for r in 1..1_000_000_000)"),
    "a range of that many names": space("x1..x1000000000 = image\nout y = x1"),
    "a range to choose from": space("choose c in 1..1_000_000_000\nout y = image -> conv(c)"),
    "a grid of that many layers": space(
        "g = grid(layer in 1..1_000_000_000) {\n  start [1] = image\n  node(g[layer - 1])\n}\nout y = g[1]", CELL
    ),
    "a grid in two large directions": space(
        "g = grid(layer in 1..99_999, scale in 1..99_999) {\n  start [1][1] = image\n  node(g[layer - 1][scale])\n}\n"
        "out y = g[1][1]",
        CELL,
    ),
    "a power of powers": space("out y = image -> conv(9 ^ 9 ^ 9 ^ 9 ^ 9)"),
    "ten to the four hundred": space("out y = image -> conv(10 ^ 400)"),
    "six hundred digits": space(f"out y = image -> conv({'9' * 600})"),
    "a large exponent": space("out y = image -> conv(1e599 * 1e599)"),
    "products that grow": space(f"out y = image -> conv({' * '.join(['(10 ^ 70)'] * 200)})"),
    "a small fraction": space("out y = image -> bn(eps = 1e-300) -> resize((1 / 3) ^ 60)"),
    "a huge image": space("out y = image -> conv3x3(8)").replace("3x8x8", "3x999999999999x999999999999"),
    "a huge map": space("out y = image -> resize(10 ^ 30) -> conv(10 ^ 30, k = 999_999_999)"),
    "a shape of a thousand dims": space("out y = image -> relu").replace("3x8x8", "x".join(["3"] * 1000)),
    "a sum of products of widths": space(f"{WIDTHS}\nout y = image -> conv(({SUM}) ^ 12) -> conv(3)"),
    "products of sums of widths": space(f"{WIDTHS}\nout y = image -> conv({' * '.join([f'({SUM})'] * 12)})"),
    "channels of channels": space(
        f"{WIDTHS}\nx0 = image -> conv({SUM})\n"
        + "\n".join(f"x{n} = concat(x{n - 1}, x{n - 1}) -> conv(channels(x{n - 1}) ^ 2)" for n in range(1, 12))
        + "\nout y = x11"
    ),
    "concats that double": space(
        "choose w in {1, 2, 4}\nx0 = image -> conv(w)\n"
        + "\n".join(f"x{n} = concat(x{n - 1}, x{n - 1})" for n in range(1, 300))
        + "\nout y = x299"
    ),
    "a hundred thousand widths": space("choose c in {" + joined(100_000, "{0}", ",\n") + "}\nout y = image -> conv(c)"),
    "twenty thousand ops": space("out y = image -> {" + joined(20_000, "conv(3, d = {0})", ",\n") + "}"),
    "a hundred thousand equal ops": space("out y = image -> {" + ",\n".join(["relu"] * 100_000) + "}"),
    "thirty thousand maps to join": space("out y = concat(" + ",\n".join(["image"] * 30_000) + ")"),
    "thirty thousand arms": space(
        "y = case 8 {\n" + "".join(f"  when {n}: image\n" for n in range(30_000)) + "  else: image\n}\nout z = y"
    ),
    "twenty of forty inputs": space(
        f"{joined(40, 'x{0} = image -> relu', chr(10))}\nout y = sum({{{joined(40, 'x{0}')}}}, keep = 20)"
    ),
    "long names": space(f"{'n' * 19_000} = image -> relu\nout y = {'n' * 18_999}m"),
    "long names of ops": space(f"out y = image -> {'ab' * 4_000}", f"op {'ba' * 4_000}() = relu\n\n"),
    "five thousand typos": space(
        "\n".join(f"x{n} = image -> halv{n}x" for n in range(4_000)) + "\nout y = image",
        "".join(f"op halve{n}() = relu\n" for n in range(4_000)),
    ),
    "mistakes in a thousand lines": space("\n".join(f"x{n} = image -> conv(-{n})" for n in range(3_000))),
    "a name a thousand times": space("\n".join(["x = image -> relu"] * 10_000) + "\nout y = x"),
    "twenty-four levels": space(f"out y = {'sum(' * 22}image{')' * 22}"),
    "five thousand levels": space(f"out y = {'(' * 5_000}image{')' * 5_000}"),
    "a long pipe": space(f"out y = image{' -> relu' * 1_500}"),
    "a long way": space(
        "x0 = image\n" + "\n".join(f"x{n} = x{n - 1} -> relu" for n in range(1, 20_000)) + "\nout y = x19999"
    ),
    "a long way of questions": space(
        "x0 = image\n" + "\n".join(f"x{n} = x{n - 1} -> {{relu, bn}}" for n in range(1, 4_000)) + "\nout y = x3999"
    ),
    "ways that double": space(
        "x0 = image\n"
        + "\n".join(
            f"a{n} = x{n - 1} -> relu\nb{n} = x{n - 1} -> bn\nchoose x{n} in {{a{n}, b{n}}}" for n in range(1, 200)
        )
        + "\nout y = x199"
    ),
    "calls in calls": space(
        "out y = image -> o900", "op o1() = relu\n" + "".join(f"op o{n}() = o{n - 1}\n" for n in range(2, 901))
    ),
    "defaults that read each other": space("out y = image -> o", "op o(a = b, b = a) = conv(a) -> conv(b)\n\n"),
    "a set that holds itself": space("out y = image -> s", "ops s = {relu, s}\n\n"),
    "sets that hold each other twice": space(
        "out y = image -> s30",
        "ops s1 = {relu, bn}\n" + "".join(f"ops s{n} = {{{{s{n - 1}}}, s{n - 1}}}\n" for n in range(2, 31)) + "\n",
    ),
    "ops without a node that double": space(
        "out y = o40(image)",
        "op o1() {\n  in x\n  out x\n}\n"
        + "".join(f"op o{n}() {{\n  in x\n  out o{n - 1}(o{n - 1}(x))\n}}\n" for n in range(2, 41)),
    ),
    "a cell in itself": space("out y = c(image)", "cell c() {\n  in x\n  t = chain(x) {\n    c()\n  }\n  out t\n}\n\n"),
    "two hundred sets in each other": space(
        "out y = image -> s200",
        "ops s1 = {relu, bn}\n" + "".join(f"ops s{n} = {{s{n - 1}, conv(c = {n})}}\n" for n in range(2, 201)) + "\n",
    ),
    "three hundred choices at one place": space(
        "\n".join(f"choose k{n} in {{1, 3}}" for n in range(300))
        + f"\nout y = image -> conv(3, k = {joined(299, 'k{0}', ' + ')})"
    ),
    "thirteen kilobytes of unknown names": space("\n".join(f"a{n} = b{n}" for n in range(950)) + "\nout y = image"),
    "thirty thousand spaces": HEAD
    + "".join(f"space s{n}() {{\n in x: 3x8x8\n out x -> relu\n}}\n" for n in range(30_000)),
    "two mebibytes of mistakes": space("\n".join(f"a = q{n} -> r{n}" for n in range(85_000)) + "\nout y = image"),
    "candidates with arguments that double": space(
        "out y = image -> o12(relu)",
        "op o1(f) = f -> f\n" + "".join(f"op o{n}(f) = o{n - 1}(f = {{f, f -> relu}})\n" for n in range(2, 13)),
    ),
}

_NET = space(
    "t = chain(image) {\n  each pick() * 9\n}\nout y = t",
    "cell pick() {\n  in x\n  y = x -> {relu, bn}\n  out y\n}\n\n",
)
_ANSWERS = "answer t[1..9] {\n    y = x -> relu\n  }"


def genotypes(bodies: list[str]) -> str:
    return _NET + "".join(f"\ngenotype g{n} of net {{\n  {body}\n}}\n" for n, body in enumerate(bodies))


GENOTYPES: dict[str, str] = {
    "answers for a thousand million places": genotypes(["t[1..1_000_000_000].x = relu", "t[1..99_999].y = relu"]),
    "blocks for many places": genotypes(["answer t[1..99_999] {\n    y = x -> relu\n  }"]),
    "places in many directions": genotypes(["t[1..9_999][1..9_999][1..9_999][1..9_999].x = relu"]),
    "genotypes that take over doubly": genotypes(
        [_ANSWERS, *(f"also = g{n}, g{n}" for n in range(60))],
    ),
    "two hundred genotypes that take over": genotypes([_ANSWERS, *(f"also = g{n}" for n in range(1_000))]),
    "genotypes that take over in a circle": genotypes(["also = g1", "also = g2", "also = g0"]),
    "a long hash": genotypes([f'hash = "{"ab" * 9_000}"']),
    "ten thousand answers": genotypes(["\n".join(f"  t[{n}].y.x = relu" for n in range(10_000))]),
}
