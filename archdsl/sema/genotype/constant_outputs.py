"""Outputs that are the same for every image, because only zeros and learned maps lead to them."""

from __future__ import annotations

from typing import Final

from archdsl.diagnostics import Label as Mark
from archdsl.diagnostics import Severity
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema import codes
from archdsl.sema.genotype.reader import Given, Reader
from archdsl.sema.reporter import Reporter
from archdsl.space import Program
from archdsl.space.program import Apply, Asked, Result, Select
from archdsl.space.trace import Trace
from archdsl.space.values import cuts
from archdsl.space.walk import Key
from archdsl.text import Span

_ANSWER: Final = ("answer it with", "answer one of these with")
_WRITE: Final = ("write there", "write at one of these places")
"""For one place, and for several."""
_SHOWN: Final = 3
"""So many answers are shown that could be others."""


def report_constant(reader: Reader, program: Program, trace: Trace, name: Span, reporter: Reporter) -> None:
    """A warning for each output of a closed network that depends on no image, with the answers that make it so."""
    for end, each in trace.computed.items():
        if not isinstance(each.payload, Result) or each.payload.auxiliary:
            continue
        zeros = cuts(trace, end)
        if not zeros:
            continue
        given = [found for zero in zeros for found in _answers(reader, program, zero)]
        marks = list(dict.fromkeys((found.target, f"here `{found.answer[0]}`") for found in given))
        written = {span: _writes(program, zero) for zero in zeros if (span := program.nodes[zero.node].span)}
        marks = marks or [(span, f"here {what} are written") for span, what in written.items()]
        leading = " and ".join(sorted(set(written.values()), reverse=True)) or "zeros"
        first, *others = marks[:_SHOWN] or [(name, "in this network")]
        reporter.report(
            codes.CONSTANT_OUTPUT,
            f"the output `{each.payload.name}` is the same for every image: only {leading} lead to it",
            *first,
            also=tuple(Mark(*other) for other in others),
            help=f"{_ANSWER[len(marks) > 1] if given else _WRITE[len(marks) > 1]} an op that reads its map",
            severity=Severity.WARNING,
        )


def _writes(program: Program, end: Key) -> str:
    """What a node writes that reads no values."""
    payload = program.nodes[end.node].payload
    learned = isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.constant
    return "learned maps" if learned else "zeros"


def _answers(reader: Reader, program: Program, zero: Key) -> list[Given]:
    """The answers of the text that choose some zeros."""
    found: list[Given] = []
    for node in program.nodes:
        if not isinstance(node.payload, Select) or not isinstance(node.payload.subject, Asked):
            continue
        path = program.questions[node.payload.subject.question].asked_by(zero.branch)
        given = reader.given.get(path) or reader.given.get(path.question)
        for label, option in zip(node.payload.labels, node.inputs, strict=True):
            if given is not None and label in given.answer and _leads(program, option, zero.node):
                found.append(given)
    return found


def _leads(program: Program, option: int, zero: int) -> bool:
    """Whether a candidate is made of some zeros and what only reads them."""
    while option != zero:
        node = program.nodes[option]
        if not isinstance(node.payload, Apply) or option < zero:
            return False
        option = node.inputs[0]
    return True
