"""What one op of a space can turn out to be: its work under all that can be supposed of the answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.cost.possible import Possible, sources
from archdsl.cost.rows import alone
from archdsl.cost.trial import Misfit, Open, Piece, Trial, Unlisted
from archdsl.cost.work import Work
from archdsl.ops import Shape
from archdsl.ops.dims import values
from archdsl.ops.joining import ADD
from archdsl.space import Apply, Keep

VARIANT_LIMIT: Final = 20_000
"""An op that can turn out to be more than this is not listed: nobody measures so many rows."""


@dataclass(frozen=True, slots=True)
class TooManyRows(Exception):
    """An op can turn out to be more than can be listed."""

    path: str

    def __str__(self) -> str:
        return f"`{self.path}` can turn out in more than {VARIANT_LIMIT:,} ways, too many for a row each"


def variants(piece: Piece, possible: Possible) -> Iterator[Work]:
    """The work of a piece, the same more than once where what is supposed makes no difference.

    Raises TooManyRows.
    """
    try:
        yield from _sums(piece, possible) if _is_sum(piece, possible) else _tried(piece, possible)
    except Unlisted:
        raise TooManyRows(piece.path) from None


def _tried(piece: Piece, possible: Possible) -> Iterator[Work]:
    """Something more is supposed wherever the work is still open."""
    waiting: list[Mapping[Hashable, Hashable]] = [{}]
    supposed = 0
    while waiting:
        facts = waiting.pop()
        try:
            work = Trial(piece, possible, facts).work()
        except Misfit:
            continue
        except Open as still:
            supposed += len(still.options)
            if supposed > VARIANT_LIMIT:
                raise Unlisted from None
            waiting.extend({**facts, still.fact: option} for option in reversed(still.options))
            continue
        if work is not None:
            yield work


def _is_sum(piece: Piece, possible: Possible) -> bool:
    """Whether this is a sum that stands outside of ops."""
    payload = possible.program.nodes[piece.nodes[0]].payload
    return not piece.whole and (payload == Apply(ADD.name) or isinstance(payload, Keep))


def _sums(piece: Piece, possible: Possible) -> Iterator[Work]:
    """Which of its maps a sum has makes no difference, for they are alike: only how many (of 14, and not 2^14)."""
    node = possible.program.nodes[piece.nodes[0]]
    reads = sources(node)
    there = [source for source in reads if possible.presence[source].there]
    absent = sum(possible.presence[source].absent for source in reads)
    asked = possible.program.questions[node.payload.question].keep if isinstance(node.payload, Keep) else len(reads)
    for count in range(max(2, asked - absent), min(asked, len(there)) + 1):
        for channels in _channels([possible.program.nodes[source].shape for source in there]):
            shape = node.shape._replace(channels=channels)
            if (work := alone(Apply(ADD.name), [shape] * count, shape)) is not None:
                yield work


def _channels(shapes: Sequence[Shape]) -> Sequence[int]:
    """What the channels of maps can be that have the same: all that the most certain of them can have."""
    known = [found for shape in shapes if (found := values(shape.channels)) is not None]
    if not known:
        raise Unlisted
    return sorted(number for number in min(known, key=len) if isinstance(number, int))
