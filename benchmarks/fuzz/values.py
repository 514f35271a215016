"""JSON made into other JSON, or into nearly JSON: fields deleted, doubled, exchanged, renamed, set to odd values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final, TypeAlias, cast

Change: TypeAlias = Callable[[Any, Random], str]

_ODD: Final = (
    *("null", "true", "false", "0", "-1", "1", "2", "0.5", "1e308", "-1e308", "1e-320", "1e400", "NaN", "-Infinity"),
    *("1" + "0" * 30, "9" * 5_000, "65537", "4294967296", '""', '"x"', '"\\u0000"', '"\\ud800"', '"a\\nb"', '"../x"'),
    *('"\u001b[31m"', '"' + "n" * 100_000 + '"', "[]", "{}", "[[]]", '{"x": 1}', "[null]", "[1, 2]", "[0]", '["x"]'),
    *('"1"', '"/dev/zero"', '"1x1"', '"0x0x0"', '"99999999999999x1x1"', "[" * 90 + "]" * 90, '"trt"', '"\u2028\u202e"'),
)


class Object(list[tuple[str, Any]]):
    """An object in which a name may stand twice."""


class _Raw:
    """Text that need not be JSON."""

    def __init__(self, text: str) -> None:
        self.text = text


def mutated_json(data: bytes, random: Random, *, lines: bool) -> tuple[bytes, str]:
    """The file after one change, and which it is. With `lines` it is one of JSON Lines, of which one is changed."""
    if lines:
        every = data.splitlines(keepends=True)
        at = random.randrange(len(every))
        if random.random() < 0.3:
            rows = [each for number, each in enumerate(every) if number != at]
            more = random.choice((rows, [*every, every[at]], every[: at + 1] * 2, sorted(every, reverse=True)))
            return b"".join(more), "lines"
        every[at], how = mutated_json(every[at], random, lines=False)
        return b"".join([*every[:at], every[at].rstrip(b"\n") + b"\n", *every[at + 1 :]]), how
    content = json.loads(data, object_pairs_hook=Object)
    how = random.choice(list(_CHANGES))
    held = [content]
    _CHANGES[how](held, random)
    return spelled(held[0]).encode("utf-8", errors="surrogatepass") + b"\n", how


def spelled(value: Any) -> str:
    match value:
        case _Raw():
            return value.text
        case Object():
            return "{" + ", ".join(f"{json.dumps(name)}: {spelled(each)}" for name, each in value) + "}"
        case list():
            return "[" + ", ".join(map(spelled, cast("list[Any]", value))) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _places(holder: Any) -> list[tuple[Any, int]]:
    """Every value, as the list that holds it and its position there."""
    found: list[tuple[Any, int]] = []
    waiting = [holder]
    while waiting:
        each = waiting.pop()
        for position, inner in enumerate(each):
            found.append((each, position))
            value = inner[1] if isinstance(each, Object) else inner
            if isinstance(value, list):
                waiting.append(value)
    return found


def _value(place: tuple[Any, int]) -> Any:
    holder, position = place
    return holder[position][1] if isinstance(holder, Object) else holder[position]


def _put(place: tuple[Any, int], value: Any) -> None:
    holder, position = place
    holder[position] = (holder[position][0], value) if isinstance(holder, Object) else value


def _set(holder: Any, random: Random) -> None:
    _put(random.choice(_places(holder)), _Raw(random.choice(_ODD)))


def _number(holder: Any, random: Random) -> None:
    """A number near the one that stands there, or far from it."""
    numbers = [each for each in _places(holder) if type(_value(each)) in (int, float)]
    if numbers:
        place = random.choice(numbers)
        old = _value(place)
        _put(place, random.choice((-old, old + 1, old - 1, old * 2, old * 10**6, old / 3, float(old), str(old))))
    else:
        _set(holder, random)


def _delete(holder: Any, random: Random) -> None:
    inner, position = random.choice(_places(holder))
    if inner is not holder:
        del inner[position]


def _double(holder: Any, random: Random) -> None:
    inner, position = random.choice(_places(holder))
    if inner is not holder:
        inner.append(inner[position])


def _other(holder: Any, random: Random) -> None:
    """A value of one place at another."""
    places = _places(holder)[1:]
    if places:
        _put(random.choice(places), json.loads(_plain(_value(random.choice(places))), object_pairs_hook=Object))


def _plain(value: Any) -> str:
    return spelled(value)


def _renamed(holder: Any, random: Random) -> None:
    fields = [place for place in _places(holder) if isinstance(place[0], Object)]
    if fields:
        inner, position = random.choice(fields)
        name = random.choice((inner[position][0] + "x", "", "a\nb", "\x1b[31m", random.choice(fields)[0][0][0]))
        inner[position] = (name, inner[position][1])


def _again(holder: Any, random: Random) -> None:
    """A field a second time, with another value."""
    fields = [place for place in _places(holder) if isinstance(place[0], Object)]
    if fields:
        inner, position = random.choice(fields)
        inner.append((inner[position][0], _Raw(random.choice(_ODD))))


_CHANGES: Final[Mapping[str, Callable[[Any, Random], None]]] = {
    "value": _set,
    "number": _number,
    "deleted": _delete,
    "doubled": _double,
    "other": _other,
    "renamed": _renamed,
    "again": _again,
}
