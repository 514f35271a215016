"""Binary files broken: by their bytes, and by their structure where that is known."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from benchmarks.fuzz.values import mutated_json


def mutated_bytes(data: bytes, random: Random) -> tuple[bytes, str]:
    at = random.randrange(len(data) + 1)
    match random.choice(("flip", "cut", "end", "insert", "zeros", "empty", "mark", "wide", "deep")):
        case "flip":
            changed = bytearray(data)
            for _ in range(random.choice((1, 1, 4, 40))):
                if changed:
                    changed[random.randrange(len(changed))] = random.randrange(256)
            return bytes(changed), "bytes"
        case "cut":
            return data[:at] + data[random.randrange(at, len(data) + 1) :], "cut"
        case "end":
            return data[:at], "end"
        case "insert":
            return data[:at] + random.randbytes(random.choice((1, 4, 100))) + data[at:], "inserted"
        case "zeros":
            return data[:at] + bytes(min(random.choice((1, 8, 512)), len(data) - at)) + data[at + 512 :], "zeros"
        case "empty":
            return b"", "empty"
        case "mark":
            return b"\xef\xbb\xbf" + data, "byte order mark"
        case "wide":
            return b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le"), "UTF-16"
        case _:
            return b"[" * 100_000, "deep"


def mutated_safetensors(data: bytes, random: Random) -> tuple[bytes, str]:
    """Its JSON header, its length, or its numbers."""
    end = 8 + int.from_bytes(data[:8], "little")
    match random.choice(("header", "header", "header", "length", "numbers")):
        case "header":
            header, how = mutated_json(data[8:end], random, lines=False)
            return len(header).to_bytes(8, "little") + header + data[end:], how
        case "length":
            length = random.choice((0, 1, end, 2**31, 2**63, 2**64 - 1))
            return length.to_bytes(8, "little") + data[8:], "length"
        case _:
            changed = bytearray(data)
            at = random.randrange(end, max(end + 1, len(data) - 4))
            changed[at : at + 4] = random.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\1\0\0\0"))
            return bytes(changed), "numbers"


_TEXTS: Final = ("", "x", "a\nb", "\x1b[31m", "n" * 100_000, "NaN", "[1e400]", "[", "-1", "Identity", "Loop", "../x")
_NUMBERS: Final = (0, 1, -1, 2, 3, 7, 2**31 - 1, -(2**31), 2**40, 2**62)


def mutated_onnx(data: bytes, random: Random) -> tuple[bytes, str]:
    """One field of one message in the model: set to an odd value, doubled, exchanged or removed."""
    import onnx

    model = onnx.load_model_from_string(data)
    messages = list(_messages(model))
    for _ in range(100):
        message = random.choice(messages)
        fields = message.ListFields()
        if fields:
            descriptor, value = random.choice(fields)
            how = _field(message, descriptor, value, random)
            return model.SerializeToString(), f"{message.DESCRIPTOR.name}.{descriptor.name} {how}"
    return data, "nothing"


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for each in list(value) if hasattr(value, "append") or hasattr(value, "add") else [value]:
                yield from _messages(each)


def _field(message: Any, descriptor: Any, value: Any, random: Random) -> str:
    name = descriptor.name
    if hasattr(value, "extend"):
        match random.choice(("removed", "doubled", "turned", "set")):
            case "removed":
                del value[random.randrange(len(value))]
                return "removed"
            case "doubled":
                value.extend([value[random.randrange(len(value))]])
                return "doubled"
            case "turned":
                every = list(value)[::-1]
                del value[:]
                value.extend(every)
                return "turned"
            case _ if descriptor.message_type is None:
                value[random.randrange(len(value))] = _odd(value[0], random)
                return "set"
            case _:
                del value[:]
                return "emptied"
    if descriptor.message_type is not None or random.random() < 0.2:
        message.ClearField(name)
        return "removed"
    try:
        setattr(message, name, _odd(value, random))
    except (ValueError, TypeError):
        message.ClearField(name)
    return "set"


def _odd(value: Any, random: Random) -> Any:
    match value:
        case bytes():
            return random.choice((b"", value[: len(value) // 2], value * 2, random.randbytes(16)))
        case str():
            return random.choice(_TEXTS)
        case float():
            return random.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))
        case _:
            return random.choice(_NUMBERS)
