"""The scales of a space: names for values of its parameters, as detectors are published in sizes n to x."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.syntax import ast

_Named = TypeVar("_Named", ast.Scale, ast.Argument)


def scales_of(space: ast.Space) -> Sequence[ast.Scale]:
    """In the order of the text."""
    return [scale for line in space.body if isinstance(line, ast.Scales) for scale in line.scales]


def check_scales(space: ast.Space, reporter: Reporter) -> None:
    """Report names that stand twice, and what is no parameter of the space."""
    scales = scales_of(space)
    _once(scales, f"the scale `{{}}` stands twice in `{space.name.text}`", reporter)
    known = [parameter.name.text for parameter in space.parameters]
    for scale in scales:
        _once(scale.values, f"the scale `{scale.name.text}` gives `{{}}` twice", reporter)
        for given in scale.values:
            if given.name is None or given.name.text in known:
                continue
            reporter.report(
                codes.UNKNOWN_PARAMETER,
                f"`{space.name.text}` has no parameter `{given.name.text}`",
                given.name.span,
                "not a parameter of this space",
                help=suggestion(given.name.text, known) or "it has no parameters",
                fix=replacement(given.name.text, known, given.name.span),
            )


def _once(named: Sequence[_Named], twice: str, reporter: Reporter) -> None:
    first: dict[str, ast.Name] = {}
    for each in named:
        if each.name is None:
            continue
        if each.name.text in first:
            reporter.report(
                codes.DUPLICATE,
                twice.format(each.name.text),
                each.name.span,
                "again here",
                also=(Mark(first[each.name.text].span, "first here"),),
                help="keep one of the two",
            )
        first.setdefault(each.name.text, each.name)
