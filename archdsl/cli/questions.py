"""The questions of a space as text, grouped by candidates."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from archdsl.cli.output import plural
from archdsl.cli.question_paths import relative, split
from archdsl.space import Question, QuestionScope, Step, spell_runs

_WIDTH = 110


def questions_text(questions: Sequence[Question]) -> str:
    """Lines: each set of candidates once, with the places and names of its questions."""
    alike: dict[tuple[str, tuple[str, ...]], list[Question]] = {}
    for question in questions:
        place, _ = split(question.path)
        candidates = tuple(relative(place, answer) for answer in question.answers)
        alike.setdefault((kind_of(question), candidates), []).append(question)
    parts = [f"{plural(len(questions), 'question')}\n"]
    parts += [_group(kind, candidates, asked) for (kind, candidates), asked in alike.items()]
    return "\n".join(parts)


def kind_of(question: Question) -> str:
    """`operator per branch`, `keep, 2 of them`."""
    kept = f", {question.keep} of them" if question.keep > 1 else ""
    return f"{question.kind}{' per branch' if question.per_branch else ''}{kept}"


def _group(kind: str, candidates: Sequence[str], asked: Sequence[Question]) -> str:
    head = _wrapped(f"  {len(asked)} {kind}: ", candidates)
    names: dict[QuestionScope, list[str]] = {}
    for question in asked:
        place, name = split(question.path)
        names.setdefault(place, []).append(name)
    places: dict[tuple[str, ...], list[QuestionScope]] = {}
    for place, there in names.items():
        places.setdefault(tuple(there), []).append(place)
    lines = [_line(where, what) for what, where in places.items()]
    return "".join([head, *lines])


def _line(places: Sequence[QuestionScope], names: Sequence[str]) -> str:
    spelled = spell_runs(place for place in places if place)
    if not spelled:
        return _wrapped("    ", names)
    if len(spelled) == 1 or len(names) == 1:
        paths = ((*place, Step(name)) for name in names for place in places)
        return _wrapped("    ", spell_runs(paths))
    return _wrapped("    ", spelled) + _wrapped("      each: ", names)


def _wrapped(head: str, items: Sequence[str]) -> str:
    """Items behind a head, in lines as wide as a page."""
    kept = [item.replace(" ", "\N{NO-BREAK SPACE}") for item in items]
    lines = wrap(", ".join(kept), _WIDTH - len(head), break_long_words=False, break_on_hyphens=False)
    text = f"\n{' ' * len(head)}".join(lines)
    return f"{head}{text}\n".replace("\N{NO-BREAK SPACE}", " ")
