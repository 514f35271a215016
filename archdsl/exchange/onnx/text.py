"""The text of a network that was read from an ONNX model, and its tensors by the names that it gives them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archdsl.exchange.errors import NotImported
from archdsl.exchange.onnx.model import Array, Reader, Step
from archdsl.fmt import format
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.modules.load import BUILT_IN
from archdsl.session import check_source
from archdsl.syntax import parse
from archdsl.syntax.grammar import tables
from archdsl.text import SourceFile
from archdsl.weights.specification import node_weights

if TYPE_CHECKING:
    from archdsl.ir import ClosedGraph


@dataclass(slots=True)
class Line:
    name: str
    steps: list[Step]


def lines_of(steps: list[Step], reader: Reader) -> list[Line]:
    """A step continues the line of the map that it alone reads, where that is no activation."""
    taken = {*tables().lexicon.keywords, *PRIMITIVES, *BUILT_IN, *map(identifier, reader.outputs)}
    taken |= {identifier(each.name) for each in reader.inputs}
    used = Counter(name for step in steps for name in step.maps) + Counter(map(reader.value, reader.outputs))
    open_lines: dict[str, Line] = {}
    lines: list[Line] = []
    for step in steps:
        line = None if step.join or used[step.maps[0]] > 1 else open_lines.pop(step.maps[0], None)
        if line is None:
            line = Line("", [])
            lines.append(line)
        line.steps.append(step)
        if not PRIMITIVES[_primitive(step)].traits.activation:
            open_lines[step.value] = line
    for line in lines:
        owner = next((step for step in line.steps if step.tensors), line.steps[-1])
        line.name = free_name(identifier(owner.module), taken)
    return lines


def _primitive(step: Step) -> str:
    return step.call.partition("(")[0]


def identifier(name: str) -> str:
    found = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return found if found and not found[0].isdigit() else f"x{found}"


def free_name(name: str, taken: set[str]) -> str:
    free, count = name, 1
    while free in taken or free in tables().lexicon.keywords:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free


def text_of(name: str, reader: Reader, lines: Sequence[Line], file: str) -> str:
    names = {each.name: identifier(each.name) for each in reader.inputs}
    names |= {step.value: line.name for line in lines for step in line.steps}
    written = [
        "archdsl 1",
        "",
        f"# From the ONNX model `{file}`.",
    ]
    written.append(f"space {name}() {{")
    for each in reader.inputs:
        map_ = reader.maps[each.name]
        written.append(f"in {names[each.name]}: {map_.channels}x{map_.sides}")
    scope = ""
    for line in lines:
        around = line.steps[0].module.rpartition(".")[0]
        if around != scope:
            written += ["", *([f"# {around}"] if around else [])]
            scope = around
        shape = reader.maps[line.steps[-1].value]
        written.append(f"{line.name} = {_pipe(line, names)}  # {shape.channels}x{shape.sides}")
    written.append("")
    for output in reader.outputs:
        value = reader.value(output)
        if value not in names:
            raise reader.source.unfit("it is a constant", field=output)
        written.append(f"out {identifier(output)} = {names[value]}")
    written.append("}")
    return format(parse(SourceFile(name, "\n".join(written) + "\n")))


def _pipe(line: Line, names: Mapping[str, str]) -> str:
    first, *rest = line.steps
    if first.join:
        words = [f"{first.call}({', '.join(names[each] for each in first.maps)})"]
    else:
        words = [names[first.maps[0]], first.call]
    return " -> ".join([*words, *(step.call for step in rest)])


def tensors_of(text: str, name: str, lines: Sequence[Line]) -> dict[str, Array]:
    """The weights by the names that the network of the text gives them. Raises NotImported where it has errors."""
    checked = check_source(SourceFile("<imported>", text))
    meaning = next((each for each in checked.meanings if each.name == name), None)
    if checked.failed or meaning is None or meaning.trace is None:
        raise NotImported(f"what the model says is no network: {checked.diagnostics[0].message}")
    from archdsl.ir import closed

    graph = closed(meaning.program, meaning.trace, name)
    found: dict[str, Array] = {}
    owned = _owned(graph)
    for line in lines:
        own = [step for step in line.steps if step.tensors]
        for tensors, step in zip(owned.get(line.name, ()), own, strict=True):
            found |= {full: step.tensors[full.rpartition(".")[2]] for full in tensors}
    return found


def _owned(graph: ClosedGraph) -> dict[str, list[Sequence[str]]]:
    """The tensors of each line, by the steps that own some in their order."""
    found: dict[str, list[Sequence[str]]] = {}
    for path in graph:
        weights = node_weights(graph, path)
        if weights:
            found.setdefault(str(graph.node(path).frames[0]), []).append(tuple(weights))
    return found
