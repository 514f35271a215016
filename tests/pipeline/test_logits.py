"""Files of logits, and pictures with them."""

from math import exp
from pathlib import Path
from typing import Final

import numpy as np
import pytest

import archdsl
from archdsl.pipeline import load
from archdsl.pipeline.logits import Logits, UnreadableLogits, probabilities, read_logits, write_logits
from archdsl.render import draw
from archdsl.render.model.picture import INK, Picture
from archdsl.space import Program, QuestionKind
from archdsl.weights.files import save
from tests.cli.console import ROOT
from tests.published_logits import published_logits

LOGITS: Final = ROOT / "spaces" / "logits"
STUDENT: Final = LOGITS / "fasterseg_student.json"


@pytest.fixture(scope="module")
def fasterseg() -> Program:
    return archdsl.load("spaces/fasterseg.arch").space


def test_the_published_logits_are_a_file_of_logits(fasterseg: Program) -> None:
    for who in ("student", "teacher"):
        file, logits = LOGITS / f"fasterseg_{who}.json", published_logits(who, fasterseg)
        assert write_logits(logits, fasterseg) == file.read_text(encoding="utf-8")
        assert read_logits(file, fasterseg) == logits


def test_probabilities_are_a_softmax(fasterseg: Program) -> None:
    logits = read_logits(STUDENT, fasterseg)
    for path, found in probabilities(logits, fasterseg).items():
        assert list(found) == list(fasterseg.questions[path].answers)
        whole = sum(map(exp, logits[path]))
        assert list(found.values()) == pytest.approx([exp(each) / whole for each in logits[path]])


def test_none_takes_probability_and_is_not_drawn(tmp_path: Path) -> None:
    program = archdsl.load("spaces/cas.arch").space
    path = next(each for each, question in program.questions.items() if question.kind is QuestionKind.OPERATOR)
    count = len(program.questions[path].answers)
    found = probabilities({path: (0.0,) * (count + 1)}, program)[path]
    assert list(found.values()) == pytest.approx([1 / (count + 1)] * count)


def test_a_state_dict_of_logits_is_read(fasterseg: Program, tmp_path: Path) -> None:
    logits = read_logits(STUDENT, fasterseg)
    file = tmp_path / "logits.safetensors"
    save(file, {fasterseg.spell(path): np.array(each, np.float32) for path, each in logits.items()}, {})
    found = read_logits(file, fasterseg)
    assert found.keys() == logits.keys()
    assert all(found[path] == pytest.approx(logits[path], abs=1e-6) for path in logits)


BROKEN: Final = {
    "{": "cannot be read as logits: no JSON: EOF while parsing an object",
    "[]": "cannot be read as logits: what stands in it has to be an object",
    '{"version": 2, "logits": {}}': "`version` has to be 1",
    '{"version": true, "logits": {}}': "`version`",
    '{"version": 1}': "`logits` is missing",
    '{"version": 1, "hash": "sha256:0", "space": "other", "logits": {}}': "has the logits of another `other`",
    '{"version": 1, "logits": []}': "`logits` has to be",
    '{"version": 1, "logits": {}}': "has no logits: write a vector",
    '{"version": 1, "logits": {"a": [0]}, "logits": {}}': "`logits` stands there twice",
    '{"version": 1, "logits": {"a": "a"}}': "`logits.a` has to be",
    '{"version": 1, "logits": {"a": [0, true]}}': r"`logits.a\[2\]` has to be a valid number",
    '{"version": 1, "logits": {"trunk[1][8].operator": [0, 1, 2, 3, NaN]}}': "has NaN or infinite values",
    '{"version": 1, "logits": {"trunk[1][8].operator": [0, 1, 2, 3, 1e999]}}': "has NaN or infinite values",
    '{"version": 1, "logits": {"a": []}}': "`logits.a` is empty",
    '{"version": 1, "logits": {"trunk[1][8].operator": [0, 1]}}': "has 2 logits: its question has 5 answers",
    '{"version": 1, "logits": {"trunk[1][8].operater": [0]}}': r"did you mean `trunk\[1\]\[8\].operator`",
    '{"version": 1, "logits": {"a": [0]}, "accuracy": {"a = 16": 1.5}}': "has to be at most 1",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_file_of_logits(fasterseg: Program, tmp_path: Path, text: str) -> None:
    file = tmp_path / "logits.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableLogits, match=BROKEN[text]):
        read_logits(file, fasterseg)


def picture(text: str, logits: Logits, cell: str | None = None) -> Picture:
    loaded = load(text)
    return draw(loaded, cell=cell, chances=probabilities(logits, loaded.program))


def even(program: Program, kind: QuestionKind, favourite: int) -> Logits:
    """Every answer alike but one."""
    return {
        path: tuple(2.0 if number == favourite else 0.0 for number in range(len(question.answers)))
        for path, question in program.questions.items()
        if question.kind is kind
    }


def test_a_grid_has_wide_steps_where_they_are_probable(fasterseg: Program) -> None:
    drawn = picture("spaces/fasterseg.arch", read_logits(STUDENT, fasterseg))
    steps = {(line.tail, line.head): line.stroke for line in drawn.lines}
    for path, found in probabilities(read_logits(STUDENT, fasterseg), fasterseg).items():
        if fasterseg.questions[path].kind is not QuestionKind.SOURCE:
            continue
        place = str(path.scope[-1])
        strokes = {answer: steps[answer.removesuffix(".stay").removesuffix(".down"), place] for answer in found}
        ranked = sorted(found, key=lambda answer: found[answer])
        assert [strokes[each].width for each in ranked] == sorted(each.width for each in strokes.values())
        assert [strokes[each].colour == INK for each in ranked] == [False] * (len(ranked) - 1) + [True]


def test_a_cell_names_its_most_probable_ops() -> None:
    program = archdsl.load("spaces/cas.arch").space
    drawn = picture("spaces/cas.arch", even(program, QuestionKind.OPERATOR, 3), "normal")
    labels = [line.label[0].text for line in drawn.lines if line.label and "%" in line.label[0].text]
    assert len(labels) == 9 and {label.rsplit(" ", 2)[0] for label in labels} == {"conv3x3"}


def test_of_a_sum_that_keeps_two_inputs_two_are_dark() -> None:
    program = archdsl.load("spaces/cas.arch").space
    logits = {
        path: tuple(number * (place + 1.0) / 40 for number in range(len(question.answers)))
        for place, (path, question) in enumerate(program.questions.items())
        if question.kind is QuestionKind.OPERATOR
    }
    drawn = picture("spaces/cas.arch", logits, "normal")
    asked = [box.name for box in drawn.boxes if any(text.text.startswith("keep 2 of") for text in box.label)]
    assert len(asked) == 2
    for name in asked:
        lines = [line for line in drawn.lines if line.head == name]
        dark = [line.stroke.width for line in lines if line.stroke.colour == INK]
        assert len(dark) == 2 and min(dark) >= max(line.stroke.width for line in lines if line.stroke.colour != INK)


def test_exits_are_as_wide_as_they_are_probable() -> None:
    program = archdsl.load("spaces/autortnet.arch").space
    drawn = picture("spaces/autortnet.arch", even(program, QuestionKind.EXIT, 1))
    for chain, cells in (("h1", 5), ("h2", 10), ("h3", 10)):
        exits = [line for line in drawn.lines if line.head == chain and line.tail.startswith(f"{chain}[")]
        dark = [line.tail for line in exits if line.stroke.colour == INK]
        assert (len(exits), dark) == (cells, [f"{chain}[2]"])
