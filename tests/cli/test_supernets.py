"""The page about supernets: every command shows what it says, its Python runs, its picture is drawn anew."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

import archdsl
from archdsl.cli.supernets import report_object
from archdsl.pipeline import load
from archdsl.pipeline.supernet_report import supernet_report
from tests.cli.console import ROOT, Command, File, play, prepare, steps

PAGE: Final = ROOT / "docs" / "supernets.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_commands(folder: Path) -> None:
    assert any(isinstance(step, Command) for step in steps(page()))
    assert [str(each) for each in play(page(), folder) if not each.agrees] == []


def test_python(folder: Path) -> None:
    for step in steps(page()):
        if isinstance(step, File):
            Path(step.name).write_text(step.text, encoding="utf-8")
    names: dict[str, object] = {}
    for source in re.findall(r"^```python\n(.*?)^```$", page(), re.DOTALL | re.MULTILINE):
        exec(source, names)
    said = re.search(r"^supernet  # (.*)$", page(), re.MULTILINE)
    assert said is not None and repr(names["supernet"]) == said[1]


def test_texts_are_canonical() -> None:
    texts = [step.text for step in steps(page()) if isinstance(step, File) and step.name.endswith(".arch")]
    assert texts and [archdsl.format(text) for text in texts] == texts


def test_the_report_as_json(folder: Path) -> None:
    text = next(step.text for step in steps(page()) if isinstance(step, File) and step.name == "small.arch")
    (folder / "small.arch").write_text(text, encoding="utf-8")
    found = json.loads(json.dumps(report_object(supernet_report(load("small.arch")))))
    assert [each["path"] for each in found["questions"]] == ["width", "y.x"]
    assert found["questions"][1]["candidates"] == ["conv3x3(c = 16)", "sep_conv3x3(c = 16)"]
    tensors = found["estimate"]["tensors"]
    supernet = archdsl.supernet(folder / "small.arch")
    assert tensors["kernels"] + tensors["norms"] == sum(each.numel() for each in supernet.parameters())
    assert sum(each["nodes"] for each in found["steps"]) > sum(each["count"] for each in found["steps"]) > 0


def test_the_picture_is_that_of_the_published_logits(folder: Path) -> None:
    logits = ROOT / "spaces" / "logits" / "fasterseg_student.json"
    text = f"```console\n$ archdsl draw spaces/fasterseg.arch --logits {logits} -o drawn.svg\ndrawn.svg\n```\n"
    assert [str(each) for each in play(text, folder) if not each.agrees] == []
    words = [
        re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text(encoding="utf-8"))
        for file in (folder / "drawn.svg", ROOT / "docs" / "pictures" / "fasterseg_logits.svg")
    ]
    assert words[0] and sorted(words[0]) == sorted(words[1]), "draw `docs/pictures/fasterseg_logits.svg` anew"


def test_links() -> None:
    linked = re.findall(r"\]\(([^)]+)\)", page())
    assert linked and [link for link in linked if not (PAGE.parent / link.partition("#")[0]).exists()] == []
