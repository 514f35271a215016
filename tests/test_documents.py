"""Documents: what fits a schema is read, and all else is one sentence that names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from archdsl.documents import Schema, Unfit, VersionOne, parse, read, text


class Seeded(Schema):
    source: Literal["random"] = "random"
    seed: int = Field(ge=0, le=10**6)


class Stored(Schema):
    source: Literal["file"] = "file"
    path: str = text("^[a-z]+$", "a name of small letters")


class Network(Schema):
    format_version: VersionOne
    weights: Seeded | Stored = Field(discriminator="source")
    parameters: dict[str, bool | str] = Field(default_factory=dict)
    shape: tuple[int, int] = (1, 1)
    maps: Annotated[tuple[Seeded, ...], Field(max_length=2)] = ()


WHOLE = '{"format_version": 1, "weights": {"source": "random", "seed": 3}}'


def wrong(data: bytes | str) -> str:
    with pytest.raises(Unfit) as found:
        parse(Network, data.encode() if isinstance(data, str) else data)
    return str(found.value)


def test_what_fits_is_read_with_or_without_a_byte_order_mark() -> None:
    expected = Network(format_version=1, weights=Seeded(seed=3))
    assert parse(Network, WHOLE.encode()) == expected
    assert parse(Network, WHOLE.encode("utf-8-sig")) == expected


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format_version", "version", "`format_version` is missing"),
        (": 1", ": 2", "it has format version 2, and this archdsl knows 1"),
        (": 1", ": true", "it has format version true, and this archdsl knows 1"),
        (": 1", ": 1.0", "it has format version 1.0, and this archdsl knows 1"),
        (": 1", ": 9, \"new\": [1]", "it has format version 9, and this archdsl knows 1"),
        ("3", "true", "`weights.seed` has to be a valid integer"),
        ("3", "3.0", "`weights.seed` has to be a valid integer"),
        ("3", "-1", "`weights.seed` has to be at least 0"),
        ("3", "1" + "0" * 30, "`weights.seed` has to be at most 1,000,000"),
        ("3", "3, \"more\": 1", "`weights.more` is not known here"),
        ("3", "3, \"a b\\n\": 1", '`weights["a b\\n"]` is not known here'),
        ("random", "file", "`weights.path` is missing"),
        ("random", "net", "`weights.source` has to be 'random' or 'file'"),
        ('"source": "random", ', "", "`weights.source` is missing"),
        ('"random", "seed": 3', '"file", "path": "A"', "`weights.path` has to be a name of small letters"),
        ("}}", '}, "parameters": {"w": 0.5}}', "`parameters.w` has to be a valid boolean or a valid string"),
        ("}}", '}, "shape": [1]}', "`shape[2]` is missing"),
        ("}}", '}, "shape": [1, 2, 3]}', "`shape` has more than 2 items"),
        ("}}", '}, "shape": [1, "2"]}', "`shape[2]` has to be a valid integer"),
        ("}}", '}, "maps": [{"seed": 1}, {"seed": 2}, {"seed": 3}]}', "`maps` has more than 2 items"),
        ("}}", '}, "maps": [{"seed": 1}, {"seed": -2}]}', "`maps[2].seed` has to be at least 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(old: str, new: str, said: str) -> None:
    assert old in WHOLE
    assert wrong(WHOLE.replace(old, new, 1)) == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed": 3', '"seed": 3, "seed": 4', "`weights.seed` stands there twice"),
        ("}}", '}, "weights": {"source": "random", "seed": 3}}', "`weights` stands there twice"),
        ("}}", '}, "maps": [{"seed": 1}, {"seed": 1, "seed": 1}]}', "`maps[2].seed` stands there twice"),
    ],
)
def test_a_field_stands_once(old: str, new: str, said: str) -> None:
    assert wrong(WHOLE.replace(old, new, 1)) == said


def test_an_object_with_a_million_fields_is_not_reported_field_by_field() -> None:
    fields = ", ".join(f'"k{number}": 1' for number in range(1_001))
    assert wrong(f"{WHOLE[:-1]}, {fields}}}") == "one object has more than 1,000 fields"


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b"\x00", b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"9" * 5_000])
def test_what_is_no_json_is_said_to_be_none(data: bytes) -> None:
    assert wrong(data).startswith("no JSON: ")


@pytest.mark.parametrize("data", ["[]", "3", "null", '"x"'])
def test_what_is_no_object_is_said_to_be_none(data: str) -> None:
    assert wrong(data) == "what stands in it has to be an object"


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(Unfit, match="it has more than 1 MiB"):
        read(Network, file, 1 << 20)
