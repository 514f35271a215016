"""`archdsl show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave, recipe_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import say, say_json, table
from archdsl.fmt import print_item
from archdsl.ops import Shape
from archdsl.pipeline import Loaded
from archdsl.settings.printer import as_data, item_tree
from archdsl.space import Image, Question, Result
from archdsl.space.trace import Answers, Trace


@click.command("show")
@click.argument("target", metavar="FILE")
@click.option("--ir", "show_ir", is_flag=True, help="Show the graph, one node a line, in canonical text.")
@text_or_json
@overrides
@input_size
def command(target: str, show_ir: bool, form: str, overrides: tuple[tuple[str, str], ...], shape: Shape | None) -> int:
    """Show what the compiler understood: parameters, images, outputs, questions and answers, the graph.

    Of a search, a training or a cost (FILE:NAME) every setting that holds, defaults among them, as a text has it.

    Questions that are asked alike stand in one group; `[n - 1]` is the place before the one that asks. With
    `--format json` every question is listed.
    """
    if recipe := recipe_or_leave(target, overrides, shape, form=form):
        say_json(as_data(recipe)) if form == "json" else say(print_item(item_tree(recipe)))
        return Exit.FINE
    loaded = load_or_leave(target, overrides, shape, form=form)
    if form == "json":
        say_json(_object(loaded, show_ir=show_ir))
    elif show_ir:
        say(_ir(loaded))
    else:
        say(_text(loaded))
    return Exit.FINE


def _ir(loaded: Loaded) -> str:
    from archdsl.ir import canonical_text

    return canonical_text(loaded.network() if loaded.closed else loaded.supernet())


def _network(loaded: Loaded) -> Trace | None:
    """The derived network; None where a question is open."""
    return loaded.meaning.trace if loaded.closed else None


def _ends(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """Images and outputs with their shapes, without outputs that the answers leave out."""
    trace = _network(loaded)
    shapes = {} if trace is None else {each.payload: each.shape for each in trace.computed.values()}
    for node in loaded.program.nodes:
        match node.payload:
            case Image(name):
                yield "in", name, str(node.shape)
            case Result(name, auxiliary) if trace is None or node.payload in shapes:
                yield "out aux" if auxiliary else "out", name, str(shapes.get(node.payload, node.shape))
            case _:
                pass


def _text(loaded: Loaded) -> str:
    program = loaded.program
    kind = f"a genotype of {program.name}" if loaded.is_genotype else "a space"
    parameters = ", ".join(f"{name} = {_value(value)}" for name, value in program.parameters)
    rows = [("parameters", parameters)] if parameters else []
    parts = [f"{loaded.name}: {kind}\n", table([*rows, ("hash", program.hash)]), table(list(_ends(loaded)))]
    answers = _answers(loaded)
    if answers:
        from archdsl.cli.answers import answers_text

        parts.append(answers_text(program, answers))
    if questions := _open(loaded):
        from archdsl.cli.questions import questions_text

        parts.append(questions_text(questions))
    return "\n".join(parts)


def _answers(loaded: Loaded) -> Answers:
    """The effective answers: where nothing is open, those to questions that are asked."""
    answers, trace = loaded.meaning.answers, _network(loaded)
    return dict(answers) if trace is None else {path: answers[path] for path in trace.asked}


def _open(loaded: Loaded) -> list[Question]:
    """The questions that some branch has not answered."""
    if loaded.closed:
        return []
    answers, branches = loaded.meaning.answers, loaded.program.branches
    return [
        question
        for path, question in loaded.program.questions.items()
        if path not in answers and not (question.per_branch and all(path.of(each) in answers for each in branches))
    ]


def _value(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _object(loaded: Loaded, *, show_ir: bool) -> dict[str, Any]:
    program, trace = loaded.program, _network(loaded)
    asked = program.questions if trace is None else trace.asked
    found: dict[str, Any] = {
        "name": loaded.name,
        "space": program.name,
        "hash": program.hash,
        "parameters": {name: value if isinstance(value, int) else str(value) for name, value in program.parameters},
        "ends": [{"kind": kind, "name": name, "shape": shape} for kind, name, shape in _ends(loaded)],
        "questions": [
            {
                "path": program.spell(path),
                "kind": str(question.kind),
                "answers": list(question.answers),
                "per_branch": question.per_branch,
                "keep": question.keep,
            }
            for path, question in asked.items()
        ],
        "answers": {program.spell(path): list(answer) for path, answer in _answers(loaded).items()},
    }
    if show_ir:
        found["ir"] = _ir(loaded).splitlines()
    return found
