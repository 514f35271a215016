"""What Python users call."""

import doctest
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import archdsl
from archdsl.pipeline.stats import NetworkStats, SpaceStats
from archdsl.render import NothingToDraw
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


SPACE = "spaces/fasterseg.arch"


def in_notebook(shown: object, form: str) -> str:
    """What a notebook shows of an object."""
    method: Callable[[], str] = getattr(shown, f"_repr_{form}_")
    return method()


def test_a_genotype_is_loaded(project: Path) -> None:
    student = archdsl.load(STUDENT)
    assert repr(student) == "<genotype `fasterseg_student` of `fasterseg`: a network>"
    assert student.is_genotype and student.is_closed
    assert student.space.name == "fasterseg"
    assert repr(student.space) == f"<program `fasterseg`: {len(student.space.nodes):,} nodes, 119 questions>"
    assert set(student.answers) >= {path for path in student.questions if path in student.answers} != set()
    stats = student.stats()
    assert isinstance(stats, NetworkStats)
    assert stats.params == sum(each.params for each in stats.cells)
    assert f"<td>{stats.params:,}</td>" in in_notebook(stats, "html")
    assert student.network().name == "fasterseg_student"


def test_a_space_is_loaded(project: Path) -> None:
    space = archdsl.load(SPACE, overrides={"layers": 8, "classes": 11})
    assert repr(space) == f"<space `fasterseg`: {len(space.questions)} open questions>"
    assert not space.is_genotype and not space.is_closed and space.answers == {}
    stats = space.stats()
    assert isinstance(stats, SpaceStats)
    assert stats.genotypes is not None and f"<td>{stats.genotypes:,}</td>" in in_notebook(stats, "html")
    assert sum(stats.questions.values()) == len(space.questions)
    with pytest.raises(archdsl.Refused, match="still asks"):
        space.network()


def test_an_architecture_is_drawn(project: Path) -> None:
    student = archdsl.load(STUDENT)
    assert in_notebook(student, "svg") == student.svg()
    assert student.draw(project / "student.svg").read_text(encoding="utf-8") == student.svg()
    with pytest.raises(archdsl.Refused, match="write a file that ends in"):
        student.draw(project / "student.bmp")
    with pytest.raises(NothingToDraw):
        student.svg(cell="nowhere")


def test_architectures_are_compared(project: Path) -> None:
    student, teacher = archdsl.load(STUDENT), archdsl.load("spaces/genotypes/fasterseg_teacher.arch")
    changes = student.diff(teacher)
    assert changes
    assert repr(changes) == "<difference `fasterseg_student` -> `fasterseg_teacher`: 39 changed cells>"
    same = student.diff(archdsl.load(STUDENT))
    assert not same
    assert repr(same) == "<difference `fasterseg_student` -> `fasterseg_student`: 0 changed cells>"


def test_what_is_loaded_does_not_change(project: Path) -> None:
    student = archdsl.load(STUDENT)
    with pytest.raises(FrozenInstanceError):
        setattr(student, "loaded", archdsl.load(SPACE).loaded)  # noqa: B010 - as pyright knows, it cannot be assigned


def _public() -> Iterator[tuple[str, object]]:
    """Every function that users call, and every method and property of the classes that they meet."""
    for name in archdsl.__all__:
        found = getattr(archdsl, name)
        yield name, found
        if inspect.isclass(found) and not issubclass(found, Exception):
            yield from ((f"{name}.{each}", getattr(found, each)) for each in vars(found) if not each.startswith("_"))


def _exceptions() -> set[str]:
    """Every exception of the package, and those of Python that are documented."""
    found = {"ValueError", "OSError"}
    for file in Path(archdsl.__file__).parent.rglob("*.py"):
        found |= set(
            re.findall(r"^class (\w+)\((?:\w*Exception|\w*Error)\):", file.read_text(encoding="utf-8"), re.MULTILINE)
        )
    return found


UNDOCUMENTED = {"Architecture.name", "Architecture.loaded"}
"""Attributes whose name says all."""


@pytest.mark.parametrize(("name", "public"), [pytest.param(*each, id=each[0]) for each in _public()])
def test_what_is_public_has_a_docstring_that_names_exceptions_that_there_are(name: str, public: object) -> None:
    text = inspect.getdoc(public) or ""
    assert text or name in UNDOCUMENTED
    raised = re.findall(r"Raises ([^.]*(?:\.[a-z][^.]*)*)\.", text)
    named = {word for sentence in raised for word in re.findall(r"\b[A-Z]\w+\b", sentence)}
    assert named <= _exceptions()


def _unsupported() -> list[tuple[str, Callable[[], object], type[Exception]]]:
    missing, space = Path("nowhere.arch"), Path(SPACE)
    nothing = {"nothing": 1}
    return [
        ("load a file that is not there", lambda: archdsl.load(missing), archdsl.NotLoaded),
        ("load an item that is not there", lambda: archdsl.load(f"{SPACE}:nothing"), archdsl.NotLoaded),
        (
            "load with an unknown parameter",
            lambda: archdsl.load(space, overrides=nothing),
            archdsl.NotLoaded,
        ),
        ("build a file that is not there", lambda: archdsl.build(missing), archdsl.NotLoaded),
        ("build a space", lambda: archdsl.build(space), archdsl.Refused),
        ("compare a file that is not there", lambda: archdsl.compare(STUDENT, missing), archdsl.NotLoaded),
        ("compile a space", lambda: archdsl.compile(space), archdsl.Refused),
        ("compile a file that is not there", lambda: archdsl.compile(missing), archdsl.NotLoaded),
        ("compile for an odd size", lambda: archdsl.compile(STUDENT, size=(63, 128)), archdsl.NotLoaded),
        ("compile a supernet", lambda: archdsl.compile(space, "supernet"), archdsl.Refused),
        ("report the supernet of a network", lambda: archdsl.load(STUDENT).supernet_report(), archdsl.Refused),
        ("format a text with mistakes", lambda: archdsl.format("space ("), ValueError),
    ]


@pytest.mark.parametrize(("call", "expected"), [pytest.param(*each[1:], id=each[0]) for each in _unsupported()])
def test_what_is_not_supported_raises_what_is_documented(
    project: Path, call: Callable[[], object], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        call()


def test_what_is_public_stays_what_it_is_when_packages_are_imported() -> None:
    packages = {module.name for module in pkgutil.iter_modules(archdsl.__path__)}
    assert packages.isdisjoint(archdsl.__all__)


def test_not_loaded_carries_diagnostics(project: Path) -> None:
    with pytest.raises(archdsl.NotLoaded) as failed:
        archdsl.load(SPACE, overrides={"nothing": 1})
    assert [each.code for each in failed.value.diagnostics] == ["E0305"]


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
