"""JSON files, read whole within bounds and through a schema. What is wrong with one is a sentence that names the field.

A schema says all that can stand in a file: values have the very types that it names, no field is unknown and none
stands there twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from archdsl.files import read_whole

T = TypeVar("T", bound=BaseModel)
MIB: Final = 1 << 20
_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that editors of Windows write."""


class Unfit(Exception):
    """A file that does not fit its schema; the text says what is wrong and where in the file, not which file it is."""


class Schema(BaseModel):
    """An object whose fields are those that it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def text(pattern: str, meant: str) -> Any:
    """A text of a pattern, as the default of a field or in `Annotated`; `meant` is what it has to be, in a message."""
    _MEANT[pattern] = meant
    return Field(pattern=pattern)


_MEANT: Final[dict[str, str]] = {}


def _no_flag(value: object) -> object:
    """`true` and `1.0` equal 1, and are none of the numbers that a literal lists."""
    if type(value) is not int:
        raise ValueError(f"{json.dumps(value)} is no whole number")
    return value


VersionOne: TypeAlias = Annotated[Literal[1], BeforeValidator(_no_flag)]
"""For a field `format_version`."""
_VERSION: Final = "format_version"

# Reading ----------------------------------------------------------------------------------------


def read(schema: type[T], path: Path, most: int) -> T:
    """The content of a file of at most `most` bytes. Raises Unfit, and OSError where it cannot be read."""
    data = read_whole(path, most + 1)
    if len(data) > most:
        raise Unfit(f"it has more than {most // MIB} MiB")
    return parse(schema, data)


def parse(schema: type[T], data: bytes) -> T:
    """The content of a file. Raises Unfit."""
    data = data.removeprefix(_MARK)
    clear = _is_clear(data)
    try:
        found = schema.model_validate_json(data)
    except ValidationError as error:
        raise Unfit(_sentence(error, data)) from None
    if not clear:
        raise Unfit("no JSON that every reader takes alike")
    return found


def _is_clear(data: bytes) -> bool:
    """Whether it is JSON. Raises Unfit for an object with a field twice, of which a reader would take either one.

    It comes before the schema, which would report each of a million unknown fields.
    """
    try:
        try:
            _loads(data, _Objects.looked_at)
        except _Unclear:
            place = _second(_loads(data, _Objects.kept))
            raise Unfit(f"{_spelled(place)} stands there twice" if place else _TOO_MANY) from None
    except (ValueError, RecursionError):
        return False
    return True


_MOST_FIELDS: Final = 1_000
_TOO_MANY: Final = f"one object has more than {_MOST_FIELDS:,} fields"


def _loads(data: bytes, hook: Any) -> object:
    return json.loads(data, object_pairs_hook=hook, parse_int=len, parse_float=len)


class _Unclear(Exception):
    """An object with a field twice, or with too many."""


class _Pairs(list[tuple[str, object]]):
    """An object with all that it holds."""


class _Objects:
    @staticmethod
    def looked_at(pairs: list[tuple[str, object]]) -> None:
        """Nothing is kept of what is within bounds."""
        if len(pairs) > _MOST_FIELDS or len(dict(pairs)) < len(pairs):
            raise _Unclear

    @staticmethod
    def kept(pairs: list[tuple[str, object]]) -> _Pairs:
        return _Pairs(pairs)


_Place: TypeAlias = "tuple[int | str, ...]"


def _second(value: object) -> _Place:
    """The first place at which a name stands again; nothing where there is none."""
    names: set[str] = set()
    for step, each in _steps(value):
        if step in names:
            return (step,)
        if isinstance(step, str):
            names.add(step)
        if inner := _second(each):
            return (step, *inner)
    return ()


def _steps(value: object) -> Iterable[tuple[int | str, object]]:
    if isinstance(value, _Pairs):
        return value
    return enumerate(cast("list[object]", value)) if isinstance(value, list) else ()


# What is wrong ----------------------------------------------------------------------------------


def _sentence(error: ValidationError, data: bytes) -> str:
    """The first thing that is wrong; of a file of another version, that."""
    every = error.errors(include_url=False)
    first = next((each for each in every if each["loc"] == (_VERSION,)), every[0])
    context: dict[str, Any] = first.get("ctx", {})
    if first["type"] == "json_invalid":
        return f"no JSON: {context.get('error', 'something is missing')}"
    content = _loads(data, None)
    place = _in_file(first["loc"], content)
    match first["type"]:
        case "missing":
            return f"{_spelled((*place, first['loc'][-1]))} is missing"
        case "union_tag_not_found":
            return f"{_spelled((*place, context['discriminator'].strip(_QUOTE)))} is missing"
        case "union_tag_invalid":
            where = _spelled((*place, context["discriminator"].strip(_QUOTE)))
            return f"{where} has to be {context['expected_tags'].replace(', ', ' or ')}"
        case "extra_forbidden":
            return f"{_spelled(place)} is not known here"
        case _ if place == (_VERSION,):
            return f"it has format version {_value(first['input'])}, and this archdsl knows 1"
        case "value_error":
            said = str(context.get("error", first["msg"]))
            return f"{_spelled(place)} {said}" if place else said
        case "string_pattern_mismatch" if context.get("pattern") in _MEANT:
            return f"{_spelled(place)} has to be {_MEANT[context['pattern']]}"
        case "too_short":
            fewer = f"has fewer than {context['min_length']:,} items" if context["actual_length"] else "is empty"
            return f"{_spelled(place)} {fewer}"
        case "too_long":
            return f"{_spelled(place)} has more than {context['max_length']:,} items"
        case "greater_than_equal":
            return f"{_spelled(place)} has to be at least {_number(context['ge'])}"
        case "less_than_equal":
            return f"{_spelled(place)} has to be at most {_number(context['le'])}"
        case _:
            same = [each["msg"] for each in every if _in_file(each["loc"], content) == place]
            return f"{_spelled(place)} {_wanted(same)}"


_QUOTE: Final = "'"


def _in_file(place: _Place, content: object) -> _Place:
    """A place without the steps that are of the schema alone, such as the kinds of which a value is one."""
    found: list[int | str] = []
    for step in place:
        inner: Any = content
        try:
            content = inner[step]
        except (LookupError, TypeError):
            continue
        found.append(step)
    return tuple(found)


def _wanted(messages: Sequence[str]) -> str:
    """What a value has to be, by what each kind of value says that can stand at its place."""
    kinds = " or ".join(re.sub(r"^[A-Z][a-z]+ should (be|have) ", "", each) for each in dict.fromkeys(messages))
    return f"has to {'have' if ' should have ' in messages[0] else 'be'} {kinds}"


def _spelled(place: _Place) -> str:
    """`rows[3].time`, counted from 1."""
    field = "".join(f"[{each + 1}]" if isinstance(each, int) else _name(each) for each in place)
    return f"`{field.lstrip('.')}`" if field else "what stands in it"


def _name(field: str) -> str:
    """One that is no word in quotes, as JSON writes it."""
    return f".{field}" if re.fullmatch(r"\w{1,60}", field) else f"[{_value(field)}]"


def _number(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def _value(found: object) -> str:
    said = json.dumps(found, default=str)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


_SHOWN: Final = 60
