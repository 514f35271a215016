"""`archdsl cost sensitivity`."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import cost_table, milliseconds, rows_there
from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import note, say, say_json, table
from archdsl.cli.progress import working
from archdsl.extras import require_for
from archdsl.ops import Shape

if TYPE_CHECKING:
    from archdsl.cost.sensitivity import Sensitivity
    from archdsl.pipeline import Loaded
    from archdsl.settings.costs import Unit
    from archdsl.space import QuestionKind

    Gaps = click.ParamType[tuple[str, float]]
else:
    # Older versions of the library cannot say what a type converts to.
    Gaps = click.ParamType


class Gap(Gaps):
    """`operator=10.42`."""

    name = "KIND=NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        from archdsl.settings.relaxations import RELAXED

        kind, equals, text = str(value).partition("=")
        if kind not in (known := [str(each) for each in RELAXED]):
            self.fail(f"`{kind}` is no kind of question; write one of {', '.join(known)}", param, ctx)
        if not equals:
            self.fail(f"`{value}` gives no number; write `{kind}=10.42`", param, ctx)
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not (isfinite(number) and number >= 0):
            self.fail(f"`{text}` is no difference of two times; write `{kind}=10.42`", param, ctx)
        return kind, number


@click.command("sensitivity")
@click.argument("target", metavar="[SPACE]", required=False)
@cost_table
@click.option(
    "--gap",
    "gaps",
    type=Gap(),
    multiple=True,
    metavar="KIND=NUMBER",
    help="A gap that was measured, in place of SPACE and its table: `operator=10.42`; any number of times.",
)
@text_or_json
@overrides
@input_size
def command(
    target: str | None,
    cost: Path | None,
    gaps: tuple[tuple[str, float], ...],
    form: str,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
) -> int:
    """Find how far each kind of question moves the latency of SPACE, and weights that balance them.

    All questions of one kind have their slowest answers, then their fastest ones, while all others are even; the gap
    is the kind's sensitivity (FasterSeg, table 2). Weight times gap is the same for each kind, and the weights add up
    to 1: they are those of `weighted(latency, …)` in an objective. Needs no torch.
    """
    if (target is None) == (not gaps):
        raise click.UsageError("name a space and its table, `SPACE --cost TABLE`, or measured gaps: `--gap width=5.54`")
    require_for("cost sensitivity")
    if target is None:
        if cost is not None:
            raise click.UsageError("`--cost` prices a space, and none is named")
        return _measured(gaps, form)
    if cost is None:
        raise click.UsageError(f"a table is needed to price `{target}`: `--cost TABLE`")
    loaded = load_or_leave(target, overrides, shape, form=form)
    if loaded.is_genotype:
        raise click.UsageError(f"`{loaded.name}` is a genotype, whose questions are answered; name its space")
    with rows_there(cost, target, loaded, shape, form):
        unit, found = _of_space(loaded, cost)
    weights = _weights({kind: each.gap for kind, each in found.items()})
    if form == "json":
        say_json(
            {
                "space": loaded.name,
                "kinds": [
                    {
                        "kind": str(kind),
                        "least_ms": milliseconds(each.least),
                        "most_ms": milliseconds(each.most),
                        "gap_ms": milliseconds(each.gap),
                        "weight": weights[kind],
                    }
                    for kind, each in found.items()
                ],
            }
        )
        return Exit.FINE
    rows = [("kind", f"fastest, {unit}", f"slowest, {unit}", f"gap, {unit}", "weight")]
    rows += [
        (
            str(kind),
            *(f"{each / unit.seconds:,.3f}" for each in (found.least, found.most, found.gap)),
            _short(weights[kind]),
        )
        for kind, found in found.items()
    ]
    say(table(rows, right=(1, 2, 3, 4)))
    _say_term(weights)
    return Exit.FINE


def _measured(gaps: tuple[tuple[str, float], ...], form: str) -> int:
    from archdsl.space import QuestionKind

    by_kind = {QuestionKind(kind): gap for kind, gap in gaps}
    if len(by_kind) < len(gaps):
        raise click.UsageError("a kind of question has two gaps; give each once")
    weights = _weights(by_kind)
    if form == "json":
        kinds = [{"kind": str(kind), "gap": gap, "weight": weights[kind]} for kind, gap in by_kind.items()]
        say_json({"kinds": kinds})
        return Exit.FINE
    rows = [
        ("kind", "gap", "weight"),
        *((str(kind), f"{gap:g}", _short(weights[kind])) for kind, gap in by_kind.items()),
    ]
    say(table(rows, right=(1, 2)))
    _say_term(weights)
    return Exit.FINE


def _of_space(loaded: Loaded, cost: Path) -> tuple[Unit, Mapping[QuestionKind, Sensitivity]]:
    from archdsl.api import Refused
    from archdsl.cost.expectation.diagrams import LIMIT, TooLarge
    from archdsl.cost.expectation.measures import seconds
    from archdsl.cost.expectation.program import Expectation
    from archdsl.cost.expectation.work import Work
    from archdsl.cost.sensitivity import sensitivities
    from archdsl.cost.tables import read_table

    prices = read_table(cost)
    try:
        with working(f"{loaded.name}: what its networks compute"):
            work = Work.of(loaded.program, passes=prices.passes)
            found = sensitivities(Expectation.of(work, seconds(prices, work)), loaded.program)
    except TooLarge:
        raise Refused(
            f"answers of `{loaded.name}` hang together in more ways than {LIMIT:,} decision diagrams tell apart; "
            "measure the gaps and give them: `--gap operator=10.42`"
        ) from None
    if not found:
        raise Refused(f"`{loaded.name}` asks nothing that a search weighs")
    return prices.unit, found


def _weights(gaps: Mapping[QuestionKind, float]) -> Mapping[QuestionKind, float]:
    from archdsl.api import Refused
    from archdsl.cost.sensitivity import balanced

    try:
        return balanced(gaps)
    except ValueError as error:
        raise Refused(f"{error}: there is nothing to balance") from None


def _say_term(weights: Mapping[QuestionKind, float]) -> None:
    """The term to paste into an objective, and kinds that need no weight."""
    listed = ", ".join(f"{kind} = {_short(weight)}" for kind, weight in weights.items())
    say(f"weighted(latency, {listed})")
    for kind, weight in weights.items():
        if not weight:
            note(f"no answer to questions of kind `{kind}` changes the latency: their weight is 0")


def _short(weight: float) -> str:
    """Three digits, as texts have numbers."""
    return f"{weight:.3g}"
