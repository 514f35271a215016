"""Networks scored in the supernet of a search that was run, and held against the same networks trained alone."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.cli.main import run
from archdsl.search.baselines.candidates import read_candidates
from archdsl.search.trials.correlation import correlation, kendall, spearman
from archdsl.search.trials.searched import searched_space
from tests.data.folders import segnet

TEXT = """archdsl 1

use std

cell early(c) {
  in x
  y1..y2 = sum({x, earlier} -> {conv3x3, conv1x1}, keep = 1)
  out concat(y1..y2)
}

cell late(c) {
  in x
  choose operator in {conv3x3, conv1x1, identity}
  y = x -> operator(c)
  out (x + y) -> relu
}

space two(classes = 3, c = 8) {
  in image: 3x32x64
  stem = image -> conv3x3(4, s = 2)
  first = early(stem, c = 4)
  body = chain(first) {
    each late(c) * 2
  }
  out logits = body -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

search two_search(rate = 0.05) of two(c = 8) {
  relax = softmax
  arch = adam(lr = 1e-3)
  weights = sgd(lr = rate, batch = 2)
  iterations = 2
  phase one {
    answer_for = early
  }
  phase other {
    answer_for = body
  }
}
"""
NUMBERS = st.lists(st.integers(0, 9).map(float), min_size=2, max_size=12)
SHORT = ["--size", "32x64", "--device", "cpu"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a search that was run, and data."""
    folder = tmp_path_factory.mktemp("searched")
    (folder / "pyproject.toml").touch()
    (folder / "two.arch").write_text(TEXT, encoding="utf-8")
    segnet(folder / "camvid")
    arguments = ["search", str(folder / "two.arch"), "--set", "rate=0.1", "--out", str(folder / "run"), *SHORT]
    assert run([*arguments, "--data", f"camvid:{folder / 'camvid'}"]) == 0
    return folder


def test_what_earlier_phases_found_is_given(folder: Path) -> None:
    """The weights of the last phase are those of networks with these answers alone."""
    found = searched_space(folder / "run", torch.device("cpu"))
    program = found.loaded.program
    names = sorted(program.spell(path) for path in found.given)
    assert names[:2] == ["early.y1.x", "early.y2.keep"]
    assert names[2:] in (["early.y2.x"], ["early.y2.y1"])


def test_a_baseline_on_the_supernet_and_the_ranks_of_its_networks(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, searched = ["--data", f"camvid:{folder / 'camvid'}", *SHORT], folder / "run"
    asked = ["baseline", str(folder / "two.arch"), "--by", "random", "--evaluations", "4"]
    assert run([*asked, "--supernet", str(searched), "--out", str(folder / "sampled"), *data]) == 0
    text = (folder / "sampled" / "genotype.arch").read_text(encoding="utf-8").replace("\n# ", " ")
    assert "with the weights of the supernet of `../run`" in text
    capsys.readouterr()
    ranking = ["rank", str(searched), "--networks", "4", "--iterations", "2", "--batch", "2", *data]
    assert run([*ranking, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    sampled, trained = read_candidates(folder / "sampled"), read_candidates(searched / "rank")
    assert [each.answers for each in sampled] == [each.answers for each in trained]
    assert [each["estimate"] for each in found["networks"]] == [each.accuracy for each in sampled]
    assert [each["accuracy"] for each in found["networks"]] == [each.accuracy for each in trained]
    both = [each.accuracy for each in sampled], [each.accuracy for each in trained]
    assert found["kendall"]["value"] == kendall(*both)
    assert found["spearman"]["value"] == spearman(*both)
    (genotype,) = {tuple(each.answers["early.y1.x"]) for each in trained}
    assert genotype in (("conv3x3",), ("conv1x1",))
    before = (searched / "rank" / "journal.jsonl").read_text()
    assert run([*ranking, "--resume"]) == 0
    assert (searched / "rank" / "journal.jsonl").read_text() == before
    assert "Kendall's tau" in capsys.readouterr().out
    assert run([*asked, "--supernet", str(folder / "sampled"), "--out", str(folder / "none"), *data]) == 2
    assert "is the run of a baseline, and one of a search is asked for" in capsys.readouterr().err


@settings(max_examples=25)
@given(NUMBERS, st.randoms(use_true_random=False))
def test_correlations_are_those_of_orders(numbers: list[float], random: Random) -> None:
    """Equal orders give 1, opposite ones -1; no increasing function makes a difference, nor who comes first."""
    other = [random.choice(numbers) for _ in numbers]
    for measure in (kendall, spearman):
        found = measure(numbers, other)
        assert -1 - 1e-12 <= found <= 1 + 1e-12
        assert measure(other, numbers) == pytest.approx(found)
        assert measure([each**3 for each in numbers], other) == pytest.approx(found)
        assert measure([-each for each in numbers], other) == pytest.approx(-found)
        differ = len(set(numbers)) > 1
        assert measure(numbers, numbers) == pytest.approx(1.0 if differ else 0.0)


def test_kendall_counts_pairs() -> None:
    """Of six pairs five agree and one does not; then one is tied on one side (tau-b)."""
    assert kendall([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    assert kendall([1, 2, 3, 4], [1, 2, 3, 3]) == pytest.approx(5 / (6 * 5) ** 0.5)


def test_the_interval_holds_the_coefficient_and_narrows() -> None:
    random = Random(1)
    widths: list[float] = []
    for count in (8, 60):
        one = [random.random() for _ in range(count)]
        found = correlation(spearman, one, [each + random.gauss(0, 0.2) for each in one])
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2
