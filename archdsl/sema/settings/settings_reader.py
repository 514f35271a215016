"""From expressions to settings, as the schema declares them (`archdsl.settings.schema`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, assert_never

from archdsl.ops.model import LARGEST_FLOAT
from archdsl.records import record
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.calls import Arguments, Block, arguments_of, report_unknown, values_of
from archdsl.sema.settings.numbers import number, share, whole
from archdsl.settings.optimizers import Adam, Sgd
from archdsl.settings.relaxations import PartialChannels
from archdsl.settings.robustness import EVERY, WINDOW, Collapse
from archdsl.settings.schedules import Constant, Schedule, Warmup, highest, reaches_zero
from archdsl.settings.schema import (
    Answer,
    Expression,
    Extended,
    Flag,
    Kind,
    Kinds,
    Lines,
    Mark,
    Name,
    NoneAnswer,
    Number,
    OfKind,
    OneOf,
    OutputWeights,
    Pair,
    Place,
    Rule,
    SetOf,
    Setting,
    Several,
    Share,
    Size,
    Spelling,
    TablePath,
    Whole,
    Word,
    settings_of,
    spellings_of,
)
from archdsl.settings.searches import RandomSplit, Sandwich
from archdsl.settings.trainings import Duration, Epochs, Iterations, Scale
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

NameKind: TypeAlias = Name | TablePath | Expression | OneOf


class Names(Protocol):
    """What the names in settings refer to. Each reports what is wrong, and then gives None."""

    def resolve(self, reader: Reader, kind: NameKind, expr: ast.Expr) -> Any: ...

    def question_kind(self, expr: ast.Expr) -> QuestionKind | None: ...

    def answer(self, kind: QuestionKind, expr: ast.Expr) -> str | None: ...

    def outputs(self) -> Sequence[str]:
        """Auxiliary outputs."""
        ...

    def permits(self, rule: Rule, expr: ast.Expr) -> bool:
        """Whether the space has what a setting is about."""
        ...


@record
class Reader:
    """Reads settings by their kinds; None where what is wrong has been reported."""

    reporter: Reporter
    names: Names

    def read(self, kind: Kind, expr: ast.Expr) -> Any:
        match kind:
            case Number():
                return number(self.reporter, kind, expr)
            case Whole():
                return whole(self.reporter, kind, expr)
            case Share():
                return share(self.reporter, expr)
            case Flag():
                return self._flag(expr)
            case NoneAnswer():
                return self._none(expr)
            case Word(words, what):
                known = [member.value for member in words]
                match expr:
                    case ast.Path(head=ast.Name(text=text), parts=()) if text in known:
                        return words(text)
                    case _:
                        return report_unknown(self.reporter, what, expr, known)
            case Pair():
                return self._pair(kind, expr)
            case Size():
                return self._size(expr)
            case Several(of, nothing):
                return () if nothing and unparse(expr) == "nothing" else self._each(of, values_of(expr))
            case SetOf(of, ordered):
                found = self._each(of, expr.items if isinstance(expr, ast.Set) else (expr,))
                return tuple(sorted(found)) if found and ordered else found
            case Extended(of, into, _):
                return self._form(of, expr, into)
            case OneOf():
                return self._one_of(kind, expr)
            case OfKind(cls):
                return self._of_kind(cls, expr)
            case Name() | TablePath() | Expression():
                return self.names.resolve(self, kind, expr)
            case Mark() | Kinds() | Answer() | OutputWeights() | Lines():
                raise ValueError(f"{kind} is read with the arguments of its call, or with its block")
            case _:
                assert_never(kind)

    def block(self, cls: type, block: Block, *, of_phases: bool = True) -> dict[str, Any]:
        """The settings of a block by their fields; one that is wrong or missing has its default, or None."""
        found: dict[str, Any] = {}
        for each in settings_of(cls):
            default = None if each.required else each.default
            if each.in_phases and not of_phases:
                found[each.field] = default
            elif isinstance(each.kind, Lines):
                found[each.field] = self._duration(block, each)
            else:
                found[each.field] = self._line(block, each, default)
        return found

    def _line(self, block: Block, each: Setting, default: Any) -> Any:
        expr = block.expression(each.word, own=each.in_phases)
        if expr is None:
            if each.required:
                block.missing(each.word, each.example)
            return default
        value = self.read(each.kind, expr)
        block.wrong = block.wrong or value is None
        return default if value is None else value

    def _duration(self, block: Block, setting: Setting) -> Duration | None:
        """`epochs = 50`, perhaps with `iterations_per_epoch`; or `iterations = 15_000`."""
        epochs, per_epoch = (self._line(block, each, None) for each in _optional(settings_of(Epochs)))
        (iterations,) = (self._line(block, each, None) for each in _optional(settings_of(Iterations)))
        match epochs, per_epoch, iterations:
            case None, _, None:
                if setting.required and not block.wrong:
                    block.missing("epochs", setting.example)
                return None
            case int(), _, None:
                return Epochs(epochs, per_epoch)
            case None, None, int():
                return Iterations(iterations)
            case None, _, _:
                word, message = "iterations_per_epoch", "`iterations` are not counted in epochs"
                help = "write `epochs = …`"
            case _:
                word, message = "iterations", "how long it takes is said twice"
                help = "take out `epochs` or `iterations`"
        expr = block.expression(word)
        block.contradiction(message, expr.span if expr else block.span, "against the other line", help=help)
        return None

    # Calls --------------------------------------------------------------------------------------

    def _one_of(self, kind: OneOf, expr: ast.Expr) -> Any:
        if kind.rule is not None and not self.names.permits(kind.rule, expr):
            return None
        if kind.named and isinstance(expr, ast.Path):
            return self.names.resolve(self, kind, expr)
        if kind.plain is not None and not isinstance(expr, ast.Call | ast.Path):
            value = self.read(settings_of(kind.plain)[0].kind, expr)
            found = None if value is None else kind.plain(value)
        else:
            found = self._form(kind, expr)
        return found if found is None or kind.rule is None or self._keeps(kind.rule, found, expr) else None

    def _form(self, kind: OneOf, expr: ast.Expr, into: type | None = None) -> Any:
        """A call of one of the forms; with `into` that form and the settings that come with it."""
        known = {spelling.word: (cls, spelling) for cls in kind.forms() for spelling in spellings_of(cls)}
        arguments = arguments_of(self.reporter, expr)
        if arguments is None or arguments.name not in known:
            return report_unknown(self.reporter, kind.what, expr, list(known))
        cls, spelling = known[arguments.name]
        values = self._values(settings_of(cls)[cls is kind.plain :], arguments)
        more = {} if into is None else self._values(settings_of(into), arguments)
        value = self._made(cls, spelling, values, arguments)
        return value if into is None or value is None else into(value, **more)

    def _of_kind(self, cls: type, expr: ast.Expr) -> Any:
        arguments = arguments_of(self.reporter, expr)
        if arguments is None or not isinstance(expr, ast.Call):
            self.reporter.report(
                codes.NOT_A_VALUE,
                f"`{unparse(expr)}` says too little",
                expr.span,
                "a kind of question and a value",
                help="write it as `width(12)` or `exit(until = 50)`",
            )
            return None
        kind = self.names.question_kind(ast.Path(expr.target.span, expr.target.head))
        if kind is None:
            return None
        spelling = next(each for each in spellings_of(cls) if each.word == kind)
        return self._made(cls, spelling, self._values(settings_of(cls), arguments, kind), arguments)

    def _made(self, cls: type, spelling: Spelling, values: dict[str, Any], arguments: Arguments) -> Any:
        arguments.finish()
        if arguments.wrong:
            return None
        value = cls(**spelling.values, **values)
        return value if _agrees(value, arguments) else None

    def _values(
        self, settings: Sequence[Setting], arguments: Arguments, kind: QuestionKind | None = None
    ) -> dict[str, Any]:
        """What a call gives for each setting, by fields; `kind` is what its answers are to."""
        marks = {each.field: arguments.take_mark(each.word) for each in settings if isinstance(each.kind, Mark)}
        return marks | {each.field: self._value(each, arguments, kind) for each in settings if each.field not in marks}

    def _value(self, setting: Setting, arguments: Arguments, kind: QuestionKind | None) -> Any:
        match setting.kind:
            case Kinds() as allowed:
                return self._kinds(allowed, arguments)
            case OutputWeights(of):
                return self._output_weights(of, arguments)
            case _:
                return self._argument(setting, arguments, kind)

    def _argument(self, setting: Setting, arguments: Arguments, kind: QuestionKind | None) -> Any:
        bare = setting.place is not Place.NAMED
        expr = arguments.take(setting.word, bare=bare)
        if expr is None:
            if setting.required:
                arguments.missing(setting.word, bare=setting.place is Place.BARE)
            return setting.default
        if isinstance(setting.kind, Answer) and kind is not None:
            value = self.names.answer(kind, expr)
        else:
            value = self.read(setting.kind, expr)
        arguments.wrong = arguments.wrong or value is None
        return value

    def _kinds(self, allowed: Kinds, arguments: Arguments) -> tuple[QuestionKind, ...]:
        """The kinds that a call names without names of parameters."""
        found: list[QuestionKind] = []
        for expr in arguments.take_rest():
            kind = self.names.question_kind(expr)
            if kind is None:
                arguments.wrong = True
            elif kind not in allowed.allowed:
                arguments.wrong = True
                self.reporter.report(
                    codes.CONTRADICTION,
                    f"`{kind}` cannot stand in `{arguments.name}`",
                    expr.span,
                    allowed.instead,
                )
            else:
                found.append(kind)
        return tuple(found)

    def _output_weights(self, of: Number, arguments: Arguments) -> tuple[tuple[str, float], ...]:
        found: list[tuple[str, float]] = []
        for output in self.names.outputs():
            expr = arguments.take(output)
            value = None if expr is None else self.read(of, expr)
            arguments.wrong = arguments.wrong or (expr is not None and value is None)
            found += [] if value is None else [(output, value)]
        return tuple(found)

    # Single values ------------------------------------------------------------------------------

    def _each(self, of: Kind, parts: Sequence[ast.Expr]) -> tuple[Any, ...] | None:
        found = [self.read(of, part) for part in parts]
        return None if any(each is None for each in found) else tuple(found)

    def _flag(self, expr: ast.Expr) -> bool | None:
        match expr:
            case ast.Path(head=ast.Name(text="yes" | "no" as text), parts=()):
                return text == "yes"
            case _:
                return self._refuse(expr, "is no flag", "`yes` or `no` is needed")

    def _none(self, expr: ast.Expr) -> bool | None:
        if unparse(expr) == "none":
            return True
        message = f"`{unparse(expr)}` cannot stand here"
        self.reporter.report(codes.UNKNOWN_WORD, message, expr.span, "`none` is the only answer")
        return None

    def _pair(self, kind: Pair, expr: ast.Expr) -> tuple[float, ...] | None:
        match expr:
            case ast.Tuple(items=(_, _) as items):
                return self._each(kind.of, items)
            case _:
                return self._refuse(expr, "is no pair of numbers", "two are needed", f"write `{kind.example}`")

    def _size(self, expr: ast.Expr) -> tuple[int, int] | None:
        match expr:
            case ast.Shape(dims=(height, width)) if height and width:
                return height, width
            case _:
                return self._refuse(expr, "is no size", "height x width", "write `512x1024`")

    def _refuse(self, expr: ast.Expr, what: str, here: str, help: str | None = None) -> None:
        self.reporter.report(codes.NOT_A_VALUE, f"`{unparse(expr)}` {what}", expr.span, here, help=help)

    # What holds beside --------------------------------------------------------------------------

    def _keeps(self, rule: Rule, value: Any, expr: ast.Expr) -> bool:
        match rule:
            case Rule.ABOVE_ZERO if reaches_zero(value):
                self.reporter.report(
                    codes.TEMPERATURE_ZERO,
                    "the temperature reaches zero",
                    expr.span,
                    "logits would be divided by zero",
                    help="end above zero: `anneal(from = 3.0, to = 0.03)`",
                )
                return False
            case Rule.BEGINS_ABOVE_ZERO if _start(value) == 0:
                message = "a learning rate of zero learns nothing"
                self.reporter.report(codes.OUT_OF_RANGE, message, expr.span, "above 0")
                return False
            case _:
                return True


def _start(schedule: Schedule) -> float:
    """Where a learning rate begins, but for a warmup, which begins at zero."""
    match schedule:
        case Constant(value):
            return value
        case Warmup():
            return 1.0
        case other:
            return other.start


def _agrees(value: object, arguments: Arguments) -> bool:
    """Whether the settings of a call go together."""
    report = arguments.reporter.report
    span = arguments.expr.span
    match value:
        case Scale(low, high) if low > high:
            message = "the smaller factor stands behind the larger"
            report(codes.OUT_OF_RANGE, message, span, f"{low:g} is above {high:g}")
        case Sgd(nesterov=True, momentum=0):
            message, help = "`nesterov` has no momentum to look ahead by", "write `momentum = 0.9` beside it"
            report(codes.CONTRADICTION, message, span, "its momentum is 0", help=help)
        case Adam(lr, (decay, _)) if highest(lr) / (1 - decay) > LARGEST_FLOAT:
            message = f"a first step of {highest(lr):g} / (1 - {decay:g}) overflows"
            report(codes.OUT_OF_RANGE, message, span, "at most 1e38", help="write a smaller `lr`")
        case RandomSplit(first, second) if not (first > 0 and second > 0 and first + second <= 1):
            message = f"shares of {first} and {second} do not part the images"
            report(codes.OUT_OF_RANGE, message, span, "both above 0, together at most 1")
        case PartialChannels(channels) if channels.numerator != 1:
            message, here = f"`partial` takes a share of 1 / k, and not {channels}", "channels are shuffled in k groups"
            report(codes.OUT_OF_RANGE, message, span, here, help="write `partial(channels = 1 / 4)`")
        case Sandwich(False, False, False, 0):
            message, help = "`sandwich` names no width", "write `sandwich(smallest, largest, sampled)`"
            report(codes.NOT_A_VALUE, message, span, "nothing to train", help=help)
        case Collapse() if not value.any_sign:
            message, help = "`collapse` names no sign", "write `collapse(eigenvalue = 0.75)`"
            report(codes.NOT_A_VALUE, message, span, "nothing to stop at", help=help)
        case Collapse(eigenvalue=None, window=window, every=every) if (window, every) != (WINDOW, EVERY):
            message, help = "`window` and `every` are about the eigenvalue", "write `eigenvalue = 0.75` beside them"
            report(codes.CONTRADICTION, message, span, "it is not measured here", help=help)
        case _:
            return True
    return False


def _optional(settings: Iterable[Setting]) -> list[Setting]:
    """The same, none of them required."""
    return [replace(each, default=None) for each in settings]
