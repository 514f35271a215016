"""Usage errors, in the style of all messages."""

from __future__ import annotations

import re
from difflib import get_close_matches

import click

_QUOTED = re.compile(r"'([^']*)'")
_NUMBERS = (
    ("a valid integer range", "a whole number"),
    ("a valid integer", "a whole number"),
    ("a valid float range", "a number"),
    ("a valid float", "a number"),
)


def words(mistake: click.ClickException) -> str:
    """A usage error as one line."""
    match mistake:
        case click.NoSuchOption():
            return f"there is no option `{mistake.option_name}`{_near(mistake)}"
        case click.MissingParameter():
            return f"`{_command(mistake)}` needs {_wanted(mistake.param)}"
        case click.BadParameter() if mistake.message.startswith("'"):
            return f"{_wanted(mistake.param)}: {_said(mistake.message)}"
        case _:
            return _said(mistake.message)


def usage(mistake: click.ClickException) -> str:
    """The usage line of a command, and a pointer to `--help`."""
    context = mistake.ctx if isinstance(mistake, click.UsageError) else None
    if context is None:
        return ""
    written = " ".join(context.get_usage().removeprefix("Usage:").split())
    return f"usage: {written}\n`{context.command_path} --help` says more\n"


def _near(mistake: click.NoSuchOption) -> str:
    if mistake.option_name.startswith("-:"):
        return "; an item of standard input is written behind `--`, as in `archdsl stats -- -:NAME`"
    near = get_close_matches(mistake.option_name, mistake.possibilities or (), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _command(mistake: click.UsageError) -> str:
    return mistake.ctx.info_name or "archdsl" if mistake.ctx is not None else "archdsl"


def _wanted(parameter: click.Parameter | None) -> str:
    if parameter is None:
        return "one more argument"
    shown = parameter.metavar
    if isinstance(parameter, click.Option):
        return f"`{max(parameter.opts, key=len)}{f' {shown}' if shown else ''}`"
    return shown or parameter.human_readable_name


def _said(message: str) -> str:
    """click's message in our style: lower case, names in backticks, no full stop."""
    text = _QUOTED.sub(r"`\1`", message.strip().removesuffix("."))
    for theirs, ours in _NUMBERS:
        text = text.replace(theirs, ours)
    return text[:1].lower() + text[1:]
