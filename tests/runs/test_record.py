"""Records of runs that are broken: each is refused in a sentence that names the file and the field."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest

from archdsl.documents import Schema
from archdsl.runs.errors import NoRun
from archdsl.runs.record import AnyRecord, BaselineRecord, LogitsRecord, SearchRecord, TrainingRecord, read_record

DATA: Final[dict[str, Any]] = {
    "kind": "streets",
    "train_on": "train",
    "score_on": "val",
    "classes": ["road", "sky"],
    "colours": [[128, 64, 128], [70, 130, 180]],
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.2, 0.2],
}
COMMON: Final[dict[str, Any]] = {
    "format_version": 2,
    "space": "small",
    "hash": "sha256:0",
    "text": "../small.arch",
    "item": "small",
    "overrides": {"classes": "2"},
    "data": DATA,
    "size": [32, 64],
    "seed": 0,
}
TRAINING: Final[dict[str, Any]] = {**COMMON, "network": "small", "answers": {"x.operator": ["conv3x3"]}}
STAGES: Final[list[dict[str, Any]]] = [{"phase": "found", "beside": [], "steps": 4, "steps_per_epoch": 2}]
SEARCH: Final[dict[str, Any]] = {**COMMON, "kind": "search", "stages": STAGES}
BASELINE: Final[dict[str, Any]] = {
    **COMMON,
    "kind": "baseline",
    "by": "random",
    "strategy": "random search",
    "where": [],
    "cost": None,
    "input": None,
    "evaluation": {"supernet": None, "steps": 3},
}
RECORDS: Final[list[tuple[type[Schema], dict[str, Any]]]] = [
    (TrainingRecord, TRAINING),
    (SearchRecord, SEARCH),
    (BaselineRecord, BASELINE),
    (LogitsRecord, SEARCH),
    (AnyRecord, SEARCH),
]


def written(folder: Path, text: str | bytes) -> Path:
    (folder / "run.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def refusal(folder: Path, schema: type[Schema]) -> str:
    with pytest.raises(NoRun) as refused:
        read_record(folder, schema)
    return str(refused.value)


@pytest.mark.parametrize(("schema", "record"), RECORDS)
def test_what_commands_write_is_read(schema: type[Schema], record: dict[str, Any], tmp_path: Path) -> None:
    _, values = read_record(written(tmp_path, json.dumps(record)), schema)
    assert values == record


@pytest.mark.parametrize(("schema", "record"), RECORDS)
def test_every_field_that_is_asked_for_may_be_missing_and_is_named(
    schema: type[Schema], record: dict[str, Any], tmp_path: Path
) -> None:
    for name, field in schema.model_fields.items():
        if field.is_required() and name != "kind":
            left = {key: each for key, each in record.items() if key != name}
            assert f"`{name}` is missing" in refusal(written(tmp_path, json.dumps(left)), schema)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("hash", 3, "`hash` has to be a valid string"),
        ("hash", "", "`hash` has to be a text that says something"),
        ("text", "a\0b", "`text` has to be a text that says something"),
        ("overrides", {"classes": 2}, "`overrides.classes` has to be a valid string"),
        ("overrides", [], "`overrides` has to be"),
        ("answers", {"x.operator": "conv3x3"}, '`answers["x.operator"]` has to be'),
        ("data.classes", [], "`data.classes` is empty"),
        ("data.classes", ["road"], "`data` has 1 `classes` and 2 `colours`"),
        ("data.colours", [[0, 0, 0], [0, 0, 256]], "`data.colours[2][3]` has to be at most 255"),
        ("data.colours", [[0, 0, 0], [0, 0]], "`data.colours[2]"),
        ("data.mean", [0.4, "0.5", 0.6], "`data.mean[2]` has to be a valid number"),
        ("data.mean", [0.4, 0.5], "`data` has 2 numbers in `mean` and 3 in `std`"),
        ("data.std", [0.2, 0.0, 0.2], "`data.std[2]` has to be"),
        ("data.std", [0.2, float("nan"), 0.2], "`data.std[2]` has to be a finite number"),
        ("size", [32, 64, 3], "`size`"),
        ("size", [32, 0], "`size[2]` has to be"),
        ("seed", -1, "`seed` has to be"),
        ("seed", True, "`seed` has to be a valid integer"),
        ("kind", "search", "is the run of a search, and one of a training is asked for"),
        ("kind", [], "`kind` has to be a valid string"),
        ("format_version", 3, "is of another version: it has 3, and this archdsl reads 2"),
        ("format_version", True, "it has format version true"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(place: str, value: object, words: str, tmp_path: Path) -> None:
    record = deepcopy(TRAINING)
    *outer, last = place.split(".")
    inner = record
    for name in outer:
        inner = inner[name]
    inner[last] = value
    said = refusal(written(tmp_path, json.dumps(record)), TrainingRecord)
    assert words in said
    assert str(tmp_path) in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "has to be an object"),
        (b"null", "has to be an object"),
        (b"\xff\xfe{\x00}\x00", "no JSON"),
        (b'{"format_version": 2, "hash": "\xff"}', "no JSON"),
        (b'{"format_version": 2, "hash": "\\ud800"}', "no JSON"),
        (b'{"format_version": 2, "hash": ' + b"[" * 100_000, "no JSON"),
        (b'{"format_version": 2, "seed": ' + b"1" * 100_000 + b"}", ""),
        (b'{"format_version": 2, "hash": "a", "hash": "b"}', "`hash` stands there twice"),
        (b'{"format_version": 1}', "`recipe` is no recipe of version 1"),
        (b'{"format_version": 1, "recipe": {"name": "a", "duration": 3}}', "`recipe` is no recipe of version 1"),
        (b" " * (17 << 20), "it has more than 16 MiB"),
    ],
)
def test_what_is_no_record_is_refused(text: bytes, words: str, tmp_path: Path) -> None:
    assert words in refusal(written(tmp_path, text), TrainingRecord)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    read_record(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(TRAINING).encode()), TrainingRecord)


def test_a_folder_without_a_record_holds_no_run(tmp_path: Path) -> None:
    assert "holds no run: there is no `run.json` in it" in refusal(tmp_path, AnyRecord)
    assert "holds no run" in refusal(tmp_path / "nowhere", AnyRecord)
    written(tmp_path, "{}")
    assert "holds no run" in refusal(tmp_path / "run.json", AnyRecord)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to itself"])
def test_what_is_no_file_is_refused_and_not_waited_for(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    match kind:
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case _:
            file.symlink_to(file)
    with pytest.raises((NoRun, OSError)):
        read_record(tmp_path, AnyRecord)
