"""`archdsl show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import plural, say, say_json, table
from archdsl.pipeline import Loaded
from archdsl.space import Image, Result

_LONG = 60


@click.command("show")
@click.argument("target", metavar="FILE")
@click.option("--ir", "show_ir", is_flag=True, help="Show the graph, one node a line, in canonical text.")
@text_or_json
@overrides
@input_size
def command(
    target: str, show_ir: bool, form: str, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None
) -> int:
    """Show what the compiler understood: parameters, images, outputs, questions and answers, the graph."""
    loaded = load_or_leave(target, overrides, size, form=form)
    if form == "json":
        say_json(_object(loaded, show_ir))
    elif show_ir:
        from archdsl.ir import canonical_text

        say(canonical_text(loaded.network() if loaded.closed else loaded.supernet()))
    else:
        say(_text(loaded))
    return Exit.FINE


def _ends(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """Images and outputs with their shapes."""
    for node in loaded.program.nodes:
        match node.payload:
            case Image(name):
                yield "in", name, str(node.shape)
            case Result(name, auxiliary):
                trace = loaded.meaning.trace
                shape = node.shape
                if trace is not None:
                    found = [each.shape for each in trace.computed.values() if each.payload == node.payload]
                    if not found:
                        continue
                    shape = found[0]
                yield "out aux" if auxiliary else "out", name, str(shape)
            case _:
                pass


def _text(loaded: Loaded) -> str:
    program = loaded.program
    kind = f"genotype of {program.name}" if loaded.name != program.name else "space"
    parameters = ", ".join(f"{name} = {_value(value)}" for name, value in program.parameters)
    parts = [f"{loaded.name}: {kind}({parameters})\n  {program.hash}\n", table(list(_ends(loaded)))]
    if loaded.meaning.answers:
        trace = loaded.meaning.trace
        asked = trace.asked if trace is not None else {}
        rows = [(path, ", ".join(loaded.meaning.answers[path])) for path in asked]
        parts += [f"{plural(len(rows), 'answer')}\n", table(rows)]
    elif program.questions:
        rows = [
            (path, str(question.kind) + (" per branch" if question.per_branch else ""), _listed(question.answers))
            for path, question in program.questions.items()
        ]
        parts += [f"{plural(len(rows), 'question')}\n", table(rows)]
    return "\n".join(parts)


def _listed(answers: tuple[str, ...]) -> str:
    text = ", ".join(answers)
    if len(text) <= _LONG:
        return text
    return f"{text[: text.rfind(',', 0, _LONG)]}, … ({len(answers)})"


def _value(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _object(loaded: Loaded, show_ir: bool) -> dict[str, Any]:
    program, trace = loaded.program, loaded.meaning.trace
    found: dict[str, Any] = {
        "name": loaded.name,
        "space": program.name,
        "hash": program.hash,
        "parameters": {name: str(value) if not isinstance(value, int) else value for name, value in program.parameters},
        "ends": [{"kind": kind, "name": name, "shape": shape} for kind, name, shape in _ends(loaded)],
        "questions": [
            {
                "path": path,
                "kind": str(question.kind),
                "answers": list(question.answers),
                "per_branch": question.per_branch,
                "keep": question.keep,
            }
            for path, question in (trace.asked if trace is not None else program.questions).items()
        ],
        "answers": {path: list(loaded.meaning.answers[path]) for path in (trace.asked if trace is not None else {})},
    }
    if show_ir:
        from archdsl.ir import canonical_text

        found["ir"] = canonical_text(loaded.network() if loaded.closed else loaded.supernet()).splitlines()
    return found
