"""What Python users call."""

import doctest
import re
from pathlib import Path

import pytest

import archdsl
from tests.cli.console import ROOT, prepare

STUDENT = "spaces/genotypes/fasterseg_student.arch"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_docstring(project: Path) -> None:
    """The examples run, one after the other."""
    names: dict[str, object] = {}
    for example in doctest.DocTestParser().get_examples(archdsl.__doc__ or ""):
        exec(example.source, names)
    assert "network" in names
    assert (project / "compiled" / "fasterseg_student" / "fasterseg_student.onnx").is_file()


def test_readme(project: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for source in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        exec(source, names)
    assert (project / "compiled" / "fasterseg_student" / "fasterseg_student.onnx").is_file()


def test_check_and_load(project: Path) -> None:
    assert archdsl.check(STUDENT) == ()
    assert archdsl.load(STUDENT).name == "fasterseg_student"
    assert [found.code for found in archdsl.check(project / "nowhere.arch")] == ["E0001"]
    with pytest.raises(archdsl.NotLoaded, match="does not exist"):
        archdsl.load(str(project / "nowhere.arch"))


def test_format() -> None:
    assert archdsl.format("archdsl 1\nop a(c)=conv(c)\n") == "archdsl 1\nop a(c) = conv(c)\n"
    with pytest.raises(ValueError, match="syntax mistakes"):
        archdsl.format("archdsl 1\nop a(\n")


def test_space_is_no_network(project: Path) -> None:
    with pytest.raises(archdsl.Refused, match="asks"):
        archdsl.build(project / "spaces" / "fasterseg.arch")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"precision": "int8"}, "there is no precision `int8`: one of `fp32`, `fp16`"),
        ({"precision": ""}, "there is no precision ``: one of `fp32`, `fp16`"),
        ({"emit": "boxes"}, "there is no output `boxes`: one of `logits`, `labels`"),
        ({"target": "tflite"}, "there is no target `tflite`: one of `torch`, `onnx`, `trt`"),
        ({"target": "torch", "precision": "fp16"}, "the target `torch` is always fp32: call `.half()` on the network"),
        ({"target": "torch", "emit": "labels"}, "the target `torch` gives logits: call `.argmax(1)` on them"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_what_there_is(project: Path, asked: dict[str, str], said: str) -> None:
    wanted = {"target": "onnx", "precision": "fp32", "emit": "logits", **asked}
    with pytest.raises(archdsl.Refused) as refused:
        archdsl.compile(
            STUDENT,
            wanted["target"],
            project / "out",
            size=(64, 128),
            precision=wanted["precision"],
            emit=wanted["emit"],
        )
    assert str(refused.value) == said
    assert not (project / "out").exists()


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute `train`"):
        archdsl.__getattr__("train")
