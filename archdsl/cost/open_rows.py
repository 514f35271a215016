"""The rows that a space can need, whatever is answered."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.cost.likeness import likeness
from archdsl.cost.possible import Possible, sources
from archdsl.cost.rows import Row, call_of
from archdsl.cost.trial import Piece
from archdsl.cost.variants import variants
from archdsl.ops.joining import ADD
from archdsl.space import Apply, Keep, Program
from archdsl.space.node_path import spell


def rows_of_space(program: Program) -> tuple[Row, ...]:
    """Every row that a genotype of the space can need, each once. Raises TooManyRows.

    An op is laid out for all that the numbers in it can be: for FasterSeg 5 widths of what it reads times 5 of what
    it gives. What hangs together over several ops is not looked at, so there can be rows that no genotype needs.
    """
    possible = Possible(program)
    rows: dict[Row, None] = {}
    known: set[object] = set()
    for piece in _pieces(possible):
        if (like := likeness(piece, possible)) not in known:
            known.add(like)
            rows.update(dict.fromkeys(Row.of(piece.op, work) for work in variants(piece, possible)))
    return tuple(rows)


def _pieces(possible: Possible) -> Iterator[Piece]:
    program, reached = possible.program, possible.reached
    read_by: dict[int, set[int]] = {}
    for reader in reached:
        for source in sources(program.nodes[reader]):
            read_by.setdefault(source, set()).add(reader)
    for nodes in _groups(possible):
        call = call_of(program.nodes[nodes[0]].frames)
        roots = tuple(index for index in nodes if index in reached and not read_by[index] <= set(nodes))
        if roots:
            first = program.nodes[nodes[0]]
            path = spell(call) or first.path
            op = call[-1].definition if call else _primitive(first.payload)
            yield Piece(path, op, nodes, roots, whole=bool(call))


def _groups(possible: Possible) -> Iterator[tuple[int, ...]]:
    """The nodes of each op, and each primitive outside of ops."""
    found: dict[object, list[int]] = {}
    for index in sorted(possible.reached):
        node = possible.program.nodes[index]
        call = call_of(node.frames)
        if call or isinstance(node.payload, Apply | Keep):
            found.setdefault(call or index, []).append(index)
    return map(tuple, found.values())


def _primitive(payload: object) -> str:
    return payload.primitive if isinstance(payload, Apply) else ADD.name
