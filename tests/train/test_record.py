"""The record of a run: in the words of the language, and read where an older version wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archdsl.pipeline import trainings
from archdsl.settings.printer import as_data
from archdsl.train import NoRun, Record
from archdsl.train.run import FORMAT_VERSION, RECORD
from tests.train.small import write_text

OLD = Path(__file__).with_name("runs") / "version_1.json"

BEGUN = """
  iterations = 3
  from = imagenet(body)
  auxiliary = weights(early = 0.3)
  loss = bootstrapped_cross_entropy(keep = 0.5)
  distill = kl(temperature = 2)
  weights = adam(lr = warmup(cosine(from = 0.1), iterations = 5), batch = 2)
"""


def write_old(folder: Path, recipe: dict[str, Any] | None = None) -> Record:
    """A run's folder as version 1 wrote it, read today."""
    values = json.loads(OLD.read_text(encoding="utf-8"))
    values["recipe"] |= recipe or {}
    (folder / RECORD).write_text(json.dumps(values), encoding="utf-8")
    return Record.read(folder)


def recipe_of(text: Path) -> dict[str, Any]:
    """The recipe of the small text as a run records it today."""
    (training,) = trainings(str(text), "small")
    return json.loads(json.dumps(as_data(training)))


def test_a_run_of_version_1_says_the_same_as_one_of_today(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    length = "epochs = 2"
    text.write_text(text.read_text().replace(length, "iterations = 3").replace("crop(32x64)", "crop"))
    old = write_old(tmp_path)
    assert old.values["format_version"] == FORMAT_VERSION
    assert old.values["recipe"] == recipe_of(text)


@pytest.mark.parametrize(
    ("lines", "recipe"),
    [
        (
            "  epochs = 9\n  iterations_per_epoch = 7\n  weights = adamw(lr = 1e-3, batch = 2)\n",
            {
                "duration": {"type": "epochs", "epochs": 9, "iterations": 7},
                "weights": {
                    "type": "weight_step",
                    "optimizer": {
                        "type": "adam",
                        "lr": {"type": "constant", "value": 0.001},
                        "betas": [0.9, 0.999],
                        "eps": 1e-8,
                        "weight_decay": 0.0,
                        "decoupled": True,
                    },
                    "batch": 2,
                    "clip": None,
                },
            },
        ),
        (
            BEGUN,
            {
                "initial": {"type": "initial", "data": "imagenet", "part": "body"},
                "auxiliary": {"type": "auxiliary", "weight": 1.0, "named": [["early", 0.3]]},
                "loss": {"type": "bootstrapped", "keep": 0.5, "class_weights": "none"},
                "distill": {
                    "type": "distillation",
                    "weight": 1.0,
                    "temperature": 2.0,
                    "direction": "student_teacher",
                    "mean": "pixels",
                },
                "weights": {
                    "type": "weight_step",
                    "optimizer": {
                        "type": "adam",
                        "lr": {
                            "type": "warmup",
                            "then": {"type": "cosine", "start": 0.1, "end": 0.0},
                            "iterations": 5,
                        },
                        "betas": [0.9, 0.999],
                        "eps": 1e-8,
                        "weight_decay": 0.0,
                        "decoupled": False,
                    },
                    "batch": 2,
                    "clip": None,
                },
            },
        ),
    ],
)
def test_settings_of_version_1_have_the_words_of_today(lines: str, recipe: dict[str, Any], tmp_path: Path) -> None:
    text = write_text(tmp_path)
    head, _, _ = text.read_text().partition("train small_final")
    text.write_text(f"{head}train small_final of small {{\n{lines}}}\n")
    plain: dict[str, Any] = {
        "loss": {"type": "cross_entropy", "class_weights": "none", "label_smoothing": 0.0},
        "augment": [],
    }
    without: dict[str, Any] = {"auxiliary": {"type": "auxiliary", "weight": 1.0, "named": []}, "ema": None}
    assert write_old(tmp_path, plain | without | recipe).values["recipe"] == recipe_of(text)


def test_other_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text('{"format_version": 3}', encoding="utf-8")
    with pytest.raises(NoRun, match="is of another version: it has 3, and this archdsl reads 2"):
        Record.read(tmp_path)
