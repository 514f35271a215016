"""The reference of settings as a page: `python -m archdsl.settings.reference > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias, assert_never

from archdsl.settings.costs import MEASURE
from archdsl.settings.objectives import WORDS
from archdsl.settings.printer import setting_text
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
    SetOf,
    Setting,
    Several,
    Share,
    Size,
    TablePath,
    Whole,
    Word,
    allowed,
    left_out,
    meaning_of,
    settings_of,
    spellings_of,
)
from archdsl.settings.searches import Phase
from archdsl.settings.trainings import Training

_INTRODUCTION: Final = """# Settings

Every setting of searches, trainings and costs, as `archdsl.settings` declares them: this page is the output of
`python -m archdsl.settings.reference`. [language.md](language.md#searches-costs-trainings) says how blocks are
written; `archdsl show FILE:NAME` prints the settings that hold, defaults too, as a text has them.

A setting in bold has to be written. In a call an argument has its name, `sgd(lr = 0.1)`, but for those in
parentheses, which stand without one; those marked `*` may do either: `poly(0.01, power = 0.9)`. A length is `epochs`
or `iterations`.
"""

_Row: TypeAlias = "tuple[str, ...]"
_LINES: Final = ("line", "value", "left out", "meaning")
_CALLS: Final = ("call", "setting", "value", "left out", "meaning")


def reference() -> str:
    """The page."""
    search = [each for each in settings_of(Phase) if not each.in_phases]
    phase = [each for each in settings_of(Phase) if each.in_phases]
    training = settings_of(Training)
    words = [(f"`{each.word}`", _sourced(each.meaning, each.source)) for each in WORDS]
    calls = _calls([MEASURE, *(each.kind for each in (*search, *phase, *training))])
    sections = {
        "Lines of a search": _table(_LINES, _lines(search)),
        "Lines of a phase alone": _table(_LINES, _lines(phase)),
        "Lines of a training": _table(_LINES, _lines(training)),
        "Objectives": _table(("expression", "meaning"), words),
    }
    tables = sections | {title: _table(_CALLS, rows) for title, rows in calls.items()}
    return "\n".join([_INTRODUCTION, *(f"## {title}\n\n{table}" for title, table in tables.items())])


def _lines(settings: Iterable[Setting]) -> Iterator[_Row]:
    for each in settings:
        if isinstance(each.kind, Lines):
            for form in each.kind.forms:
                yield from _lines(settings_of(form))
        else:
            yield (_word(each), *_columns(each))


def _calls(kinds: Iterable[Kind]) -> dict[str, list[_Row]]:
    """Rows by the name of what they are forms of: all that the kinds lead to, each once."""
    found: dict[str, list[_Row]] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop(0)
        match kind:
            case Several(of) | SetOf(of):
                waiting.insert(0, of)
            case OneOf() | Extended() | OfKind() if (title := _title(kind)) not in found:
                forms = _forms(kind)
                found[title] = [
                    row for form in forms for row in _call(form, kind.plain if isinstance(kind, OneOf) else None)
                ]
                waiting += [each.kind for form in forms for each in settings_of(form)]
            case Lines(forms):
                waiting += [each.kind for form in forms for each in settings_of(form)]
            case _:
                pass
    return found


def _title(kind: OneOf | Extended | OfKind) -> str:
    match kind:
        case OneOf(what):
            return what.capitalize()
        case Extended(of, into, _):
            return f"{of.what.capitalize()}: {meaning_of(into)[0].lower()}{meaning_of(into)[1:]}"
        case OfKind(form):
            return meaning_of(form).partition(": ")[2].capitalize()


def _forms(kind: OneOf | Extended | OfKind) -> tuple[type, ...]:
    match kind:
        case OneOf(_, forms):
            return forms()
        case Extended(_, into, _):
            return (into,)
        case OfKind(form):
            return (form,)


def _call(form: type, plain: type | None) -> Iterator[_Row]:
    """What a form means, and its settings; the first one of a plain form stands without a call."""
    spellings = spellings_of(form)
    if len({each.meaning for each in spellings}) > 1:
        for each in spellings:
            yield (f"`{each.word}`", "", "", "", _sourced(each.meaning, each.source))
    elif spellings:
        words = ", ".join(f"`{each.word}`" for each in spellings)
        yield (words, "", "", "", _sourced(spellings[0].meaning or meaning_of(form), spellings[0].source))
    for each in settings_of(form)[form is plain :]:
        yield ("", _word(each), *_columns(each))


def _word(setting: Setting) -> str:
    bare = setting.place is Place.BARE and not isinstance(setting.kind, Mark)
    word = f"({setting.word})" if bare else f"`{setting.word}`" + ("*" if setting.place is Place.FIRST else "")
    return f"**{word}**" if setting.required and not isinstance(setting.kind, Kinds) else word


def _columns(setting: Setting) -> _Row:
    value = _value(setting.kind) + (f", {setting.unit}" if setting.unit else "")
    return value, _default(setting), _sourced(setting.meaning, setting.source)


def _default(setting: Setting) -> str:
    if setting.required or (left_out(setting, setting.default) and not setting.optional_use):
        return ""
    text = setting_text(setting, setting.default)
    return f"`({text})`" if isinstance(setting.kind, Pair) else f"`{text}`"


def _value(kind: Kind) -> str:
    """What can stand there, in a few words."""
    match kind:
        case Number():
            return f"a number {allowed(kind)}".strip()
        case Whole():
            return f"a whole number {allowed(kind)}"
        case Share():
            return "a number from 0 to 1"
        case Flag():
            return "`yes` or `no`"
        case Mark():
            return "the word alone"
        case NoneAnswer():
            return "`none`"
        case Word(words):
            return ", ".join(f"`{word.value}`" for word in words)
        case Pair(of):
            return f"two numbers {allowed(of)}, in parentheses"
        case Size():
            return "height x width, pixels"
        case TablePath():
            return "a path in quotes"
        case Name(of):
            return of.value
        case Kinds(kinds):
            return ", ".join(f"`{each}`" for each in kinds)
        case Answer():
            return "an answer"
        case OutputWeights(of):
            return f"a number {allowed(of)}"
        case Expression(about):
            return f"an [expression](#objectives) with `{about}`"
        case OneOf() | Extended() | OfKind() | Several() | SetOf():
            return _calls_of(kind)
        case Lines():
            raise ValueError("a length has lines of its own")
        case _:
            assert_never(kind)


def _calls_of(kind: OneOf | Extended | OfKind | Several | SetOf) -> str:
    match kind:
        case OneOf(plain=plain):
            number = f"{_value(settings_of(plain)[0].kind)}, or " if plain else ""
            return number + _link(kind)
        case Extended(of):
            return f"{_link(of)} with [more]({_anchor(_title(kind))})"
        case OfKind():
            return _link(kind)
        case Several(of, nothing):
            return f"{_value(of)}; several with commas" + (", or `nothing`" if nothing else "")
        case SetOf(of):
            return f"{_value(of)}; several in braces"


def _link(kind: OneOf | OfKind) -> str:
    words = "a kind of question with a value" if isinstance(kind, OfKind) else f"a {kind.what}"
    return f"[{words.replace('a opt', 'an opt').replace('a aug', 'an aug')}]({_anchor(_title(kind))})"


def _anchor(title: str) -> str:
    """As GitHub makes it of a heading."""
    return "#" + "".join(each for each in title.lower().replace(" ", "-") if each.isalnum() or each in "-_")


def _sourced(meaning: str, source: str) -> str:
    return f"{meaning[:1].upper()}{meaning[1:]}" + (f" ({source})" if source else "")


def _table(head: _Row, rows: Iterable[Sequence[str]]) -> str:
    written = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in written)


if __name__ == "__main__":
    sys.stdout.write(reference())
