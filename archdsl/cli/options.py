"""Options that several commands have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_INPUT = re.compile(r"(?:(\d+)x)?(\d+)x(\d+)x(\d+)")


class InputSize(click.ParamType):
    """`1x3x1024x2048` or `3x1024x2048`: images, channels, height, width."""

    name = "1x3xHxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            height, width = value
            return int(height), int(width)
        match = _INPUT.fullmatch(value)
        if match is None or int(match[1] or 1) != 1 or int(match[2]) != 3 or 0 in (int(match[3]), int(match[4])):
            self.fail(f"`{value}` is no input size; write one RGB image as `1x3x1024x2048`", param, ctx)
        if max(int(match[3]), int(match[4])) > 65_536:
            self.fail(f"`{value}` is larger than any image: 65,536 rows and columns are allowed", param, ctx)
        return int(match[3]), int(match[4])


class Override(click.ParamType):
    """`classes=11`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip() or not text.strip():
            self.fail(f"`{value}` sets nothing; write `--set classes=11`", param, ctx)
        return name.strip(), text.strip()


def overrides(command: F) -> F:
    """`--set classes=11`, any number of times."""
    return click.option(
        "--set", "overrides", type=Override(), multiple=True, help="Give a parameter of the space another value."
    )(command)


def input_size(command: F) -> F:
    """`--input 1x3x1024x2048`."""
    return click.option(
        "--input", "size", type=InputSize(), help="The image's size, instead of the one in the text."
    )(command)


def text_or_json(command: F) -> F:
    return click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)(
        command
    )


def diagnostics_format(command: F) -> F:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["full", "concise", "json", "github", "sarif"]),
        default="full",
        show_default=True,
        help="How diagnostics are shown.",
    )(command)
