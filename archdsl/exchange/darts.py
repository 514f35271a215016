"""Genotypes of DARTS (Liu, Simonyan, Yang, ICLR 2019) and its kin, as their Python sources and logs write them.

    Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), reduce=[…], reduce_concat=[2, 3, 4, 5])

Pairs of an op and its source, two for each node; sources 0 and 1 are the outputs of the two cells before, 2 the first
node. A cell of four nodes, each of two sources, all of which are handed on, is a genotype of `spaces/darts.arch`; any
other becomes a network of its own that uses the ops of that file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.exchange.answered import Answered
from archdsl.exchange.errors import NotExported
from archdsl.exchange.importing import Imported, Request, is_free
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.python_text import Call, PythonText, Value
from archdsl.exchange.source import Source
from archdsl.fmt import format
from archdsl.space import Program, QuestionKind
from archdsl.space.concrete import Answer
from archdsl.syntax import parse
from archdsl.text import SourceFile

_MOST: Final = 256 * 1024
"""Bytes: the longest collections of published genotypes have a tenth of it."""
_NODES: Final = 4
_MOST_NODES: Final = 20
_FIELDS: Final = ("normal", "normal_concat", "reduce", "reduce_concat")
_CELLS: Final = {"normal": "normal", "reduce": "reduction"}
SEARCHED: Final = {
    "max_pool_3x3": "max_pool_3x3",
    "avg_pool_3x3": "avg_pool_3x3",
    "skip_connect": "skip_connect",
    "sep_conv_3x3": "sep_conv(k = 3)",
    "sep_conv_5x5": "sep_conv(k = 5)",
    "dil_conv_3x3": "dil_conv(k = 3)",
    "dil_conv_5x5": "dil_conv(k = 5)",
}
"""DARTS' names, and the ops of `spaces/darts.arch` as its questions spell them."""
OPS: Final = {
    **SEARCHED,
    "none": "zero",
    "sep_conv_7x7": "sep_conv(k = 7)",
    "conv_7x1_1x7": "conv_7x1_1x7",
}
"""With those of NASNet and AmoebaNet, which the code of DARTS has beside its own."""


@dataclass(frozen=True, slots=True)
class Edge:
    op: str
    """In DARTS' words."""
    source: int


@dataclass(frozen=True, slots=True)
class Cell:
    """The nodes of a cell, and which of them it hands on."""

    nodes: tuple[tuple[Edge, ...], ...]
    concat: tuple[int, ...]

    @property
    def is_searched(self) -> bool:
        """Whether `spaces/darts.arch` has it among its cells."""
        return (
            len(self.nodes) == _NODES
            and self.concat == tuple(range(2, 2 + _NODES))
            and all(len({edge.source for edge in node}) == len(node) == 2 for node in self.nodes)
            and all(edge.op in SEARCHED for node in self.nodes for edge in node)
        )


def recognises(source: Source) -> bool:
    return not source.is_folder and b"Genotype(" in source.data and source.suffix not in (".onnx", ".json", ".yaml")


def read(request: Request) -> Imported:
    """A genotype of `darts`, or a network with the cells that are written. Raises NotImported."""
    source = Source(request.source.file, request.source.item, _MOST)
    name, call = _chosen(source)
    python = PythonText(source, {})
    fields = _fields(source, call)
    cells = {
        cell: _cell(python, call, cell, fields[cell], fields[f"{cell}_concat"]) for cell in _CELLS if cell in fields
    }
    chosen = request.name or (name if is_free(name) else request.named("darts_found"))
    if all(cell.is_searched for cell in cells.values()):
        return _genotype(request, chosen, cells)
    return _network(chosen, cells)


def _chosen(source: Source) -> tuple[str, Call]:
    calls = PythonText.read(source, "Genotype").calls
    if source.item is not None:
        if source.item not in calls:
            raise source.unfit(f"it has no genotype `{source.item}`: {_listed(calls)}")
        return source.item, calls[source.item]
    if len(calls) == 1:
        return next(iter(calls.items()))
    if not calls:
        raise source.unfit("it has no genotype: write `Genotype(normal=[('sep_conv_3x3', 0), …], …)`")
    raise source.unfit(
        f"it has {len(calls)} genotypes: name one, as in `{source.file}:{next(iter(calls))}`; {_listed(calls)}"
    )


def _listed(names: Sequence[str] | dict[str, Call]) -> str:
    known = [f"`{name}`" for name in names if name]
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"it has {', '.join(known[:12])}{more}" if known else "it has none with a name"


# Reading ----------------------------------------------------------------------------------------


def _fields(source: Source, call: Call) -> dict[str, object]:
    fields: dict[str, object] = dict(zip(_FIELDS, call.positional, strict=False))
    fields |= call.named
    for name in _FIELDS:
        if name not in fields:
            raise source.unfit(f"`Genotype` without `{name}`", line=call.line)
    other = next((name for name in fields if name not in _FIELDS), None)
    if other is not None or len(call.positional) > len(_FIELDS):
        raise source.unfit(f"`Genotype` has {', '.join(_FIELDS)}, and no `{other or 'fifth part'}`", line=call.line)
    return fields


def _cell(python: PythonText, call: Call, name: str, nodes: object, concat: object) -> Cell:
    edges, handed = python.value(nodes, name), python.value(concat, f"{name}_concat")  # type: ignore[arg-type]
    groups = _groups(python.source, call, name, edges)
    if not 1 <= len(groups) <= _MOST_NODES:
        raise python.source.unfit(f"{len(groups)} nodes, and a cell has 1 to {_MOST_NODES}", line=call.line, field=name)
    found: list[tuple[Edge, ...]] = []
    for node, pairs in enumerate(groups):
        found.append(tuple(_edge(python.source, call, f"{name}, node {node + 2}", pair, node + 2) for pair in pairs))
    if not isinstance(handed, tuple) or not handed or len(set(handed)) != len(handed):
        raise python.source.unfit("it lists nodes, each once", line=call.line, field=f"{name}_concat")
    return Cell(tuple(found), tuple(_node(python.source, call, name, each, len(groups)) for each in handed))


def _groups(source: Source, call: Call, name: str, edges: Value) -> list[tuple[Value, ...]]:
    """The edges of each node: two after two, or in brackets of their own."""
    if not isinstance(edges, tuple) or not all(isinstance(each, tuple) and each for each in edges):
        raise source.unfit("it is a list of pairs, `('sep_conv_3x3', 0)`", line=call.line, field=name)
    rows = [each for each in edges if isinstance(each, tuple)]
    if all(isinstance(row[0], tuple) for row in rows):
        return rows
    if len(rows) % 2:
        raise source.unfit(f"{len(rows)} edges, and each node has two", line=call.line, field=name)
    return [tuple(rows[at : at + 2]) for at in range(0, len(rows), 2)]


def _edge(source: Source, call: Call, where: str, pair: Value, states: int) -> Edge:
    match pair:
        case (str(op), int(state)):
            pass
        case _:
            raise source.unfit("an edge is an op and a source, `('sep_conv_3x3', 0)`", line=call.line, field=where)
    if op not in OPS:
        raise source.unfit(f"`{op[:40]}` is no op of DARTS: they are {', '.join(OPS)}", line=call.line, field=where)
    if not 0 <= state < states:
        raise source.unfit(f"it reads {state}, and 0 to {states - 1} stand before it", line=call.line, field=where)
    return Edge(op, state)


def _node(source: Source, call: Call, name: str, each: Value, nodes: int) -> int:
    if not isinstance(each, int) or not 2 <= each < 2 + nodes:
        raise source.unfit(
            f"`{each}` is none of its nodes, which are 2 to {1 + nodes}", line=call.line, field=f"{name}_concat"
        )
    return each


# Writing texts ----------------------------------------------------------------------------------

_ABOUT: Final = (
    "The genotype says the two cells alone. Widths, depth and stem are those of the paper's networks for CIFAR-10;",
    "for ImageNet: `(classes = 1000, c = 48, layers = 14, imagenet = yes)`. The auxiliary classifier is left out.",
)


def _state(index: int) -> str:
    return ("prev2", "prev")[index] if index < 2 else f"x{index - 1}"


def _genotype(request: Request, name: str, cells: dict[str, Cell]) -> Imported:
    answers: dict[str, Answer] = {}
    for key, cell in cells.items():
        for number, edges in enumerate(cell.nodes, start=1):
            node = f"{_CELLS[key]}.x{number}"
            if number > 1:  # of two sources both are kept
                answers[f"{node}.keep"] = tuple(_state(edge.source) for edge in edges)
            answers |= {f"{node}.{_state(edge.source)}": (SEARCHED[edge.op],) for edge in edges}
    return Imported(name, genotype_text(packaged("darts", request.overrides), answers, name, _ABOUT))


def _network(name: str, cells: dict[str, Cell]) -> Imported:
    """A space without questions, for cells that `darts` does not ask for."""
    lines = ["archdsl 1", "", "use darts", ""]
    lines += [f"# {each}" for each in (*_ABOUT, "Its cells are none of the packaged space, so they are written out.")]
    if any(edge.op == "conv_7x1_1x7" for cell in cells.values() for node in cell.nodes for edge in node):
        lines += ["", *_AMOEBA]
    for key, cell in cells.items():
        lines += ["", f"cell {name}_{_CELLS[key]}(c) {'stride 2 ' if key == 'reduce' else ''}{{"]
        lines.append("  in prev2 -> prepared(c, like = prev), prev -> relu_conv_bn(c)")
        for number, edges in enumerate(cell.nodes, start=1):
            lines += [f"  {line}" for line in _lines(number, edges)]
        lines += [f"  out concat({', '.join(map(_state, cell.concat))})", "}"]
    normal, reduction = (f"{name}_{each}" for each in _CELLS.values())
    lines += [
        "",
        f"space {name}(classes = 10, c = 36, layers = 20, imagenet = no) {{",
        *_STEM,
        "  trunk = chain(first, second) {",
    ]
    for factor, cell in ((1, normal), (2, reduction), (2, normal), (4, reduction), (4, normal)):
        width = "c" if factor == 1 else f"{factor} * c"
        lines.append(f"    {cell}(c = {width})" + (" * ((layers - 2) / 3)" if cell == normal else ""))
    lines += ["  }", "  out logits = trunk -> global_avg_pool -> linear(classes)", "}"]
    return Imported(name, format(parse(SourceFile(name, "\n".join(lines) + "\n"))))


_AMOEBA: Final = (
    "op conv_7x1_1x7(c, s = 1) {",
    "  in x",
    "  y = case s {",
    "    when 1: x -> relu -> conv(c, k = 1x7) -> conv(c, k = 7x1)",
    "    when 2: x -> relu -> conv(c, k = 1x7, s = 1x2) -> conv(c, k = 7x1, s = 2x1)",
    "  }",
    "  out y -> bn",
    "}",
)
_STEM: Final = (
    "  in image: 3x32x32",
    "  first = case imagenet {",
    "    when yes: image -> imagenet_stem(c)",
    "    else: image -> cifar_stem(c)",
    "  }",
    "  second = case imagenet {",
    "    when yes: first -> imagenet_second(c)",
    "    else: first",
    "  }",
)


def _lines(number: int, edges: Sequence[Edge]) -> Iterator[str]:
    """`x1 = prev2 -> sep_conv(k = 3) + prev -> skip_connect`."""
    yield f"x{number} = {' + '.join(f'{_state(edge.source)} -> {OPS[edge.op]}' for edge in edges)}"


# Writing genotypes ------------------------------------------------------------------------------


def write(program: Program, answers: Answered) -> str:
    """The genotype as DARTS writes it, where its cells are two of the kind that DARTS searches. Raises NotExported."""
    _require_cells(program)
    parts: list[str] = []
    for key, cell in _CELLS.items():
        edges = [edge for number in range(1, _NODES + 1) for edge in _kept(answers, f"{cell}.x{number}")]
        parts.append(f"{key}=[{', '.join(edges)}], {key}_concat=range(2, {2 + _NODES})")
    return f"Genotype({', '.join(parts)})"


def _require_cells(program: Program) -> None:
    states = [_state(index) for index in range(2 + _NODES)]
    wanted = {
        f"{cell}.x{number}.{last}"
        for cell in _CELLS.values()
        for number in range(1, _NODES + 1)
        for last in (*("keep" for _ in range(number > 1)), *states[: number + 1])
    }
    asked = {str(path): question for path, question in program.questions.items()}
    for name, question in asked.items():
        if name not in wanted:
            raise NotExported(
                f"`{program.name}` asks `{name}`, and a genotype of DARTS answers for four nodes of `normal` and of "
                "`reduction` alone"
            )
        if question.kind is QuestionKind.KEEP and question.keep != 2:
            raise NotExported(f"`{name}` keeps {question.keep} inputs, and a node of DARTS has two")
    missing = sorted(wanted - set(asked))
    if missing:
        raise NotExported(f"`{program.name}` does not ask `{missing[0]}`, which a genotype of DARTS says")


def _kept(answers: Answered, node: str) -> Iterator[str]:
    theirs = {ours: name for name, ours in SEARCHED.items()}
    states = [_state(index) for index in range(2 + _NODES)]
    for source in ("prev2", "prev") if node.endswith(".x1") else answers.all(f"{node}.keep"):
        op = answers.one(f"{node}.{source}")
        if op not in theirs:
            raise NotExported(f"`{node}.{source} = {op}`: DARTS has no name for it")
        yield f"('{theirs[op]}', {states.index(source)})"
