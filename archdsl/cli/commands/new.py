"""`archdsl new`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.groups import Group
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import F, NewFile, overrides
from archdsl.cli.output import note, say
from archdsl.pipeline import Loaded
from archdsl.text import visible_line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATES = Path(__file__).parents[1] / "templates"
_LISTED = 24
"""The largest number of questions listed as comments in a new genotype."""


@click.group("new", cls=Group, no_args_is_help=False)
def command() -> None:
    """Start a space, a genotype or an op from a small valid text, to change as you like."""


def _out(command: F) -> F:
    return click.option("-o", "--out", type=NewFile(), metavar="X.arch", help="A new file. Without it, to stdout.")(
        command
    )


@command.command("space")
@click.argument("name", metavar="NAME")
@_out
def space(name: str, out: Path | None) -> int:
    """Start a space: a set of ops, a cell that asks two questions, a network of two such cells."""
    return _write(_filled("space", name), name, out)


@command.command("op")
@click.argument("name", metavar="NAME")
@_out
def op(name: str, out: Path | None) -> int:
    """Start an op: one as a pipe, one with a body, and a network to try them in."""
    return _write(_filled("op", name), name, out)


@command.command("genotype")
@click.argument("name", metavar="NAME")
@click.option("--of", "target", required=True, metavar="SPACE", help="FILE, or FILE:NAME.")
@_out
@overrides
def genotype(name: str, target: str, out: Path | None, overrides: tuple[tuple[str, str], ...]) -> int:
    """Start a genotype of SPACE that answers every question with its first candidate."""
    from archdsl.api import Refused
    from archdsl.pipeline.default_genotype import default_answers
    from archdsl.pipeline.genotype_writer import write_genotype
    from archdsl.pipeline.sample import BadConstraint, use_path

    _named(name)
    loaded = load_or_leave(target, overrides)
    if loaded.name != loaded.program.name:
        raise Refused(f"`{loaded.name}` is a genotype of `{loaded.program.name}`: name the space")
    if not loaded.program.questions:
        raise Refused(f"`{loaded.name}` asks nothing: it is a network already")
    try:
        use = use_path(loaded, Path() if out is None else out.parent)
    except BadConstraint as error:
        raise Refused(str(error)) from error
    text = write_genotype(loaded.program, default_answers(loaded), name, use, parameters=loaded.given)
    about = "\n".join(("# Every question has the first of its candidates as its answer.", *_candidates(loaded, target)))
    return _write(text.replace("\ngenotype ", f"\n{about}\ngenotype ", 1), name, out)


def _candidates(loaded: Loaded, target: str) -> list[str]:
    """The questions as `show` lists them, as comments; where they are many, where to see them."""
    from archdsl.cli.questions import questions_text

    lines = questions_text(list(loaded.program.questions.values())).splitlines()[2:]
    if len(lines) > _LISTED:
        return [f"# `archdsl show {target}` lists the others."]
    return [f"# {line}".rstrip() for line in lines]


def _filled(kind: str, name: str) -> str:
    return (_TEMPLATES / f"{kind}.arch").read_text(encoding="utf-8").replace("NAME", _named(name))


def _named(name: str) -> str:
    from archdsl.api import Refused

    if not _NAME.fullmatch(name):
        raise Refused(f"`{name}` is not a name: write letters, digits and `_`, with no digit first")
    return name


def _write(text: str, name: str, out: Path | None) -> int:
    """Checks a text and writes it to a new file."""
    from archdsl.api import Refused
    from archdsl.diagnostics import Severity
    from archdsl.session import check_source
    from archdsl.staging import is_replaced, write_atomic
    from archdsl.text import SourceFile

    found = check_source(SourceFile("<new>", text), path=out or Path("new.arch"))
    errors = [each for each in found.diagnostics if each.severity is Severity.ERROR]
    if errors:
        raise Refused(f"`{name}` cannot be begun: {errors[0].message}")
    if out is None:
        say(text)
    elif is_replaced(out):
        raise Refused(f"`{out}` is there already; name a new file")
    else:
        write_atomic(out, text.encode())
        note(visible_line(str(out)))
    return Exit.FINE
