"""Loads the item that a command names, or shows its diagnostics."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from archdsl.api import Refused, load_for
from archdsl.cli.exits import Exit
from archdsl.cli.output import note_diagnostics, say_diagnostics
from archdsl.diagnostics import Diagnostic
from archdsl.ops import Shape
from archdsl.pipeline import Loaded, NotLoaded, load_recipe
from archdsl.sema.driver import Recipe
from archdsl.space import Program
from archdsl.syntax.codes import UNREADABLE


def load_or_leave(
    target: str,
    overrides: Sequence[tuple[str, str]] = (),
    shape: Shape | None = None,
    *,
    form: str = "text",
    weights: Path | None = None,
) -> Loaded:
    """The item; where it has errors they are shown and the command ends with exit code 1 (2 for an unreadable file).

    Warnings are shown on stderr and do not keep the command from its work. It has the classes that `weights`, a file
    or a run, were trained for. Raises Refused where its first input has other channels than `shape`.
    """
    with errors_shown(form):
        loaded = load_for(target, weights, overrides=dict(overrides), size=shape and shape.size)
    check_channels(loaded.program, shape)
    if loaded.diagnostics:
        show(loaded.diagnostics, "text")
    return loaded


@contextmanager
def errors_shown(form: str) -> Generator[None]:
    """Shows the diagnostics of a text that the body fails to load, and ends the command."""
    try:
        yield
    except NotLoaded as found:
        show(found.diagnostics, form)
        raise click.exceptions.Exit(exit_code(found.diagnostics)) from None


def check_channels(program: Program, shape: Shape | None) -> None:
    """Raises Refused where a program's first input has other channels than `--input` gives it."""
    image = program.image
    if shape is not None and shape.channels != image.shape.channels:
        own = f"1x{image.shape.channels}x{shape.height}x{shape.width}"
        raise Refused(
            f"`{program.name}` reads `{image.local}: {image.shape}`, and `--input 1x{shape}` has other channels: "
            f"write `--input {own}`"
        )


def recipe_or_leave(
    target: str, overrides: Sequence[tuple[str, str]] = (), shape: Shape | None = None, *, form: str = "text"
) -> Recipe | None:
    """The search, training or cost that a target names, or None where it names no such item."""
    with errors_shown(form):
        return load_recipe(target, overrides=dict(overrides), size=shape and shape.size)


def show(diagnostics: Sequence[Diagnostic], form: str) -> None:
    """Diagnostics on stderr, or on stdout where a machine reads it."""
    if form == "json":
        say_diagnostics(diagnostics, "json")
    else:
        note_diagnostics(diagnostics)


def exit_code(diagnostics: Sequence[Diagnostic]) -> int:
    """2 where the file itself could not be read, else 1."""
    return Exit.USAGE if any(each.code == UNREADABLE for each in diagnostics) else Exit.FINDINGS
