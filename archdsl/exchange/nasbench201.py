"""Architecture strings of NAS-Bench-201 (Dong, Yang, ICLR 2020), and of NATS-Bench's space of topologies.

`|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|`: a group for each node, in it an op and its source for each edge.
"""

from __future__ import annotations

import re
from typing import Final

from archdsl.exchange.answered import Answered
from archdsl.exchange.errors import NotExported
from archdsl.exchange.importing import Imported, Request
from archdsl.exchange.packaged import genotype_text, packaged
from archdsl.exchange.source import Source
from archdsl.space import Program, QuestionKind
from archdsl.space.concrete import Answer

_LONGEST: Final = 1_000
_NODES: Final = 3
OPS: Final = {
    "none": "none",
    "skip_connect": "skip_connect",
    "nor_conv_1x1": "nor_conv(k = 1)",
    "nor_conv_3x3": "nor_conv(k = 3)",
    "avg_pool_3x3": "avg_pool_3x3",
}
"""The benchmark's names, and the ops of `spaces/nasbench201.arch`."""
_EDGE: Final = re.compile(r"(?P<op>\w+)~(?P<source>\d+)")


def recognises(source: Source) -> bool:
    return not source.is_folder and source.data.lstrip(b"\xef\xbb\xbf \t\r\n\"'").startswith(b"|")


def read(request: Request) -> Imported:
    """A genotype of the packaged `nasbench201`. Raises NotImported."""
    answers = _answers(request.source)
    name = request.named("nasbench201_found")
    comments = (
        "A string of NAS-Bench-201 says the cell alone. Stem, stages and classifier are the benchmark's for CIFAR-10;",
        "for another dataset set the number of classes, as in `nasbench201(classes = 100)`.",
    )
    space = packaged("nasbench201", request.overrides)
    return Imported(name, genotype_text(space, answers, name, comments))


def _answers(source: Source) -> dict[str, Answer]:
    lines = [line.strip().strip("\"'") for line in source.text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise source.unfit(f"it has {len(lines)} lines: write one architecture, `|nor_conv_3x3~0|+|…|+|…|`")
    written = lines[0]
    if len(written) > _LONGEST:
        raise source.unfit(f"its line has {len(written):,} characters, and an architecture has less than {_LONGEST:,}")
    groups = written.split("+")
    if len(groups) != _NODES:
        raise source.unfit(f"it has {len(groups)} nodes joined by `+`, and a cell has {_NODES}")
    return {
        f"normal.x{node}.x{edge}": (op,)
        for node, group in enumerate(groups, start=1)
        for edge, op in enumerate(_node(source, node, group))
    }


def _node(source: Source, node: int, group: str) -> list[str]:
    """The ops of a node, in the order of its sources."""
    where = f"node {node}"
    if len(group) < 2 or not (group.startswith("|") and group.endswith("|")):
        raise source.unfit("its edges stand between `|`, as in `|none~0|skip_connect~1|`", field=where)
    found: dict[int, str] = {}
    for written in group[1:-1].split("|"):
        match = _EDGE.fullmatch(written)
        if match is None:
            raise source.unfit(f"`{written}` is no edge: write an op and its source, `nor_conv_3x3~0`", field=where)
        if match["op"] not in OPS:
            raise source.unfit(f"`{match['op']}` is no op: they are {', '.join(OPS)}", field=where)
        edge = int(match["source"])
        if edge >= node or edge in found:
            why = "a second time" if edge in found else f"and its sources are 0 to {node - 1}"
            raise source.unfit(f"`{written}` reads {edge} {why}", field=where)
        found[edge] = OPS[match["op"]]
    if len(found) != node:
        missing = next(edge for edge in range(node) if edge not in found)
        raise source.unfit(f"no op reads {missing}: a node has an edge from each one before it", field=where)
    return [found[edge] for edge in range(node)]


# Writing ----------------------------------------------------------------------------------------


def write(program: Program, answers: Answered) -> str:
    """The string of a genotype whose questions are those of a cell of the benchmark. Raises NotExported."""
    names = {ours: theirs for theirs, ours in OPS.items()}
    wanted = [f"normal.x{node}.x{edge}" for node in range(1, _NODES + 1) for edge in range(node)]
    asked = {str(path): question for path, question in program.questions.items()}
    if set(asked) != set(wanted):
        other = next((name for name in asked if name not in wanted), None)
        what = f"it asks `{other}`" if other else f"it does not ask `{next(n for n in wanted if n not in asked)}`"
        raise NotExported(
            f"`{program.name}` is no space of NAS-Bench-201: {what}, and a string says the op of each of six edges "
            "(`normal.x1.x0` to `normal.x3.x2`)"
        )
    for name, question in asked.items():
        if question.kind is not QuestionKind.OPERATOR:
            raise NotExported(f"`{name}` asks for a {question.kind}, and a string of NAS-Bench-201 says ops alone")
    groups: list[str] = []
    for node in range(1, _NODES + 1):
        ops = [answers.one(f"normal.x{node}.x{edge}") for edge in range(node)]
        for edge, op in enumerate(ops):
            if op not in names:
                raise NotExported(
                    f"`normal.x{node}.x{edge} = {op}`: NAS-Bench-201 has no name for it; its ops are "
                    f"{', '.join(f'`{each}`' for each in names)}"
                )
        groups.append("|" + "|".join(f"{names[op]}~{edge}" for edge, op in enumerate(ops)) + "|")
    return "+".join(groups)
