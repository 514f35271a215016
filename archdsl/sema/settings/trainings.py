"""`train NAME of SPACE { … }`: typed and checked."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.forms import Block, Form, Make, Read, form_of, one_of, report_unknown, several
from archdsl.sema.settings.losses import distillation, loss
from archdsl.sema.settings.optimizers import weight_step
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.values import number, whole
from archdsl.settings.losses import CrossEntropy
from archdsl.settings.optimizers import Sgd, WeightStep
from archdsl.settings.schedules import Constant
from archdsl.settings.trainings import (
    Augmentation,
    Auxiliary,
    Colour,
    Crop,
    Duration,
    Epochs,
    Flip,
    Initial,
    Iterations,
    Scale,
    Training,
)
from archdsl.space import Program, Result
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

NO_STEP = WeightStep(Sgd(Constant(1.0)), 1)
"""Stands in where a text gives none and that has been reported."""
DATA = ("imagenet", "cityscapes", "camvid", "bdd", "streets")


def read_training(
    item: ast.Train, subject: Subject, parameters: tuple[tuple[str, str], ...], reporter: Reporter
) -> Training | None:
    """The training that an item describes; None where something in it has been reported to be wrong."""
    block = Block.of(item.name, "training", item.body, reporter)
    parts = Parts(subject)
    training = Training(
        name=item.name.text,
        space=subject.program.name,
        parameters=parameters,
        initial=block.take("from", parts.initial, None),
        duration=read_duration(block) or Iterations(1),
        loss=block.take("loss", loss, CrossEntropy()),
        auxiliary=block.take("auxiliary", parts.auxiliary, Auxiliary()),
        weights=block.need("weights", weight_step, NO_STEP, help="write `weights = sgd(lr = poly(0.01), batch = 16)`"),
        augment=block.take("augment", augmentations, ()),
        distill=block.take("distill", distillation, None),
        ema=block.take("ema", number(above=0, below=1), None),
    )
    block.finish()
    return None if block.wrong else training


def read_duration(block: Block, *, own: bool = False, optional: bool = False) -> Duration | None:
    """`epochs = 50`, with `iterations_per_epoch` where an epoch is no pass over the data; or `iterations = 15_000`."""
    epochs, iterations = block.take("epochs", whole(), None, own=own), block.take("iterations", whole(), None, own=own)
    per_epoch = block.take("iterations_per_epoch", whole(), None, own=own)
    if (epochs is None) == (iterations is None):
        if epochs is None and not block.wrong and not optional:
            block.missing("epochs", "write `epochs = 100`, or `iterations = 90_000`")
        if epochs is not None:
            _contradicts(block, "iterations", "how long it takes is said twice", "take out `epochs` or `iterations`")
        return None
    if iterations is not None:
        if per_epoch is not None:
            _contradicts(block, "iterations_per_epoch", "`iterations` are not counted in epochs", "write `epochs = …`")
        return Iterations(iterations)
    assert epochs is not None
    return Epochs(epochs, per_epoch)


def _contradicts(block: Block, name: str, message: str, help: str) -> None:
    expr = block.expression(name)
    block.wrong = True
    block.reporter.report(
        codes.CONTRADICTION, message, expr.span if expr else block.span, "against the other line", help=help
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """Reads what names parts of one subject."""

    subject: Subject

    def initial(self, reporter: Reporter, expr: ast.Expr) -> Initial | None:
        """`imagenet`, `imagenet(body)`."""
        form = form_of(reporter, expr)
        if form is None or form.name not in DATA:
            report_unknown(reporter, "kind of data to start from", expr, list(DATA))
            return None
        part = form.take("part", self.subject.part, "", first=True)
        form.finish()
        return None if form.wrong else Initial(form.name, part)

    def auxiliary(self, reporter: Reporter, expr: ast.Expr) -> Auxiliary | None:
        """`0.2`, or `weights(deep = 0.2, middle = 0.1)`."""
        outputs = auxiliary_outputs(self.subject.program)
        if not outputs:
            reporter.report(
                codes.NOT_IN_SPACE,
                f"`{self.subject.program.name}` has no auxiliary output",
                expr.span,
                "nothing to weigh",
                help="write `out aux name = …` in the space, or take this line out",
            )
            return None
        if not isinstance(expr, ast.Call | ast.Path):
            value = _WEIGHT(reporter, expr)
            return None if value is None else Auxiliary(value)
        return one_of("way to weigh outputs", {"weights": lambda form: _weights(form, outputs)})(reporter, expr)


_WEIGHT = number(0)


def _weights(form: Form, outputs: tuple[str, ...]) -> Auxiliary:
    found = tuple((name, form.take(name, _WEIGHT, 1.0)) for name in outputs if name in form.named)
    form.known += outputs
    return Auxiliary(1.0, found)


def auxiliary_outputs(program: Program) -> tuple[str, ...]:
    results = (node.payload for node in program.nodes)
    return tuple(each.name for each in results if isinstance(each, Result) and each.auxiliary)


def _scale(form: Form) -> Scale:
    low = form.need("from", number(above=0, high=100), 1.0, first=True)
    high = form.need("to", number(above=0, high=100), 1.0, first=True)
    if low > high:
        form.wrong = True
        form.reporter.report(
            codes.OUT_OF_RANGE,
            "the smaller factor stands behind the larger",
            form.expr.span,
            f"{low:g} is above {high:g}",
        )
    return Scale(low, high)


def _size(reporter: Reporter, expr: ast.Expr) -> tuple[int, int] | None:
    match expr:
        case ast.Shape(dims=(height, width)) if height and width:
            return height, width
        case _:
            reporter.report(
                codes.NOT_A_VALUE, f"`{spell(expr)}` is no size", expr.span, "height x width", help="write `512x1024`"
            )
            return None


_AMOUNT = number(0, 1)
AUGMENTATIONS: dict[str, Make[Augmentation]] = {
    "flip": lambda form: Flip(),
    "scale": _scale,
    "crop": lambda form: Crop(form.take("size", _size, None, first=True)),
    "colour": lambda form: Colour(
        form.take("brightness", _AMOUNT, 0.0),
        form.take("contrast", _AMOUNT, 0.0),
        form.take("saturation", _AMOUNT, 0.0),
    ),
}
augmentations: Read[tuple[Augmentation, ...]] = several(one_of("augmentation", AUGMENTATIONS))
