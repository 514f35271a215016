"""The rows that a space can need, whatever is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.cost.canonical_key import canonical_key
from archdsl.cost.kernel import Kernel
from archdsl.cost.rows import Row, call_of
from archdsl.cost.variants import Piece, variants
from archdsl.ops.joining import ADD
from archdsl.space import Apply, Keep, Program
from archdsl.space.node_path import spell
from archdsl.space.reach import Reach


def rows_of_space(program: Program) -> tuple[Row, ...]:
    """Every row that a genotype of the space can need, or a search of it, each once. Raises TooManyRows."""
    return tuple(kernels_of_space(program))


def kernels_of_space(program: Program) -> Mapping[Row, Kernel]:
    """Every row that a genotype of the space can need, or a search of it, with its kernel. Raises TooManyRows.

    An op is laid out for all that the numbers in it can be: for FasterSeg 5 widths of what it reads times 5 of what
    it gives. What hangs together over several ops is not looked at, so there can be rows that no genotype needs.
    """
    reach = Reach(program)
    kernels: dict[Row, Kernel] = {}
    known: set[object] = set()
    for piece in _pieces(reach):
        if (like := canonical_key(piece, reach)) not in known:
            known.add(like)
            for kernel in variants(piece, reach):
                kernels.setdefault(Row.of(piece.op, kernel), kernel)
    return kernels


def _pieces(reach: Reach) -> Iterator[Piece]:
    program = reach.program
    read_by: dict[int, set[int]] = {}
    for reader in reach.nodes:
        for source in reach.reads(reader):
            read_by.setdefault(source, set()).add(reader)
    for nodes in _groups(reach):
        call = call_of(program.nodes[nodes[0]].frames)
        roots = tuple(index for index in nodes if not read_by.get(index, set()) <= set(nodes))
        if roots:
            first = program.nodes[nodes[0]]
            path = spell(call) or first.path
            op = call[-1].definition if call else _primitive(first.payload)
            yield Piece(path, op, nodes, roots, whole=bool(call))


def _groups(reach: Reach) -> Iterator[tuple[int, ...]]:
    """The nodes of each op, and each primitive outside of ops."""
    found: dict[object, list[int]] = {}
    for index in sorted(reach.nodes):
        node = reach.program.nodes[index]
        call = call_of(node.frames)
        if call or isinstance(node.payload, Apply | Keep):
            found.setdefault(call or index, []).append(index)
    return map(tuple, found.values())


def _primitive(payload: object) -> str:
    return payload.primitive if isinstance(payload, Apply) else ADD.name
