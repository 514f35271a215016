"""A phase that pretrains: the training of `archdsl train` on other data, in the middle of a search."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from archdsl.cli.main import run as archdsl
from archdsl.data import Data, open_data
from archdsl.search.run import SearchRequest, prepare
from archdsl.search.run.pretraining import PretrainingWork
from archdsl.search.run.searching import SearchWork
from archdsl.search.run.stage import StageWork
from archdsl.train import Refused, train
from archdsl.train.distributed import fabric_of
from archdsl.train.prepare import TrainRequest
from archdsl.train.prepare import prepare as prepare_training
from archdsl.train.typed_torch import load_file
from tests.data.folders import segnet
from tests.search.run.test_search_command import journal, killed, ran, same, streets
from tests.search.run.texts import command, write
from tests.train.commands import finished
from tests.train.test_classification import folders

NETWORKS = """archdsl 1

use std

cell trunk(c) {
  in x
  choose operator in {conv3x3, conv1x1}
  y = x -> operator(2 * c, s = 2)
  out y
}

cell ending(c) {
  in x
  choose operator in {conv3x3, conv1x1}
  y = x -> operator(c)
  out y
}

space plain(classes = 3, c = 4) {
  in image: 3x32x64
  body = trunk(image, c = c)
  out logits = body -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

space net(classes = 3, c = 4) {
  in image: 3x32x64
  body = trunk(image, c = c)
  ended = ending(body, c = c)
  out logits = ended -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

train as_pretraining of plain {
  iterations = 6
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 4)
  augment = flip, crop(24x24)
}
"""
SEARCH = """
search found of net {
  relax = softmax
  derive = argmax
  arch = adam(lr = 0.05)
  weights = sgd(lr = 0.1, momentum = 0.9, batch = 4)
  phase first {
    network = plain
    answer_for = trunk
    iterations = 2
  }
  phase pretraining {
    pretrain = imagenet(body)
    iterations = 6
    augment = flip, crop(24x24)
  }
  phase second {
    answer_for = ending
    iterations = 2
  }
}
"""
TEXT = NETWORKS + SEARCH


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("sorted") / "data", train=4, others=2)


def work_of(text: Path, out: Path, other: Data) -> SearchWork:
    return SearchWork(prepare(SearchRequest(str(text), out), streets(), other).setup, fabric_of("cpu", "fp32"))


def stage_of(work: SearchWork, number: int) -> StageWork | PretrainingWork:
    """The stage of that number, when the ones before it are over."""
    while work.stage.number < number:
        work.advance()
    return work.stage


def test_what_was_found_is_trained_as_a_command_trains_it_and_handed_on(tmp_path: Path, images: Path) -> None:
    text, other = write(tmp_path, TEXT), open_data(f"folder:{images}")
    work = work_of(text, tmp_path / "run", other)
    stage = stage_of(work, 1)
    assert isinstance(stage, PretrainingWork)
    waiting = {name: tensor.clone() for name, tensor in stage.supernet.state_dict().items()}
    answers = stage.answers

    stage_of(work, 2)
    pretrained = tmp_path / "run" / "pretrained" / "pretraining" / "best.safetensors"
    request = TrainRequest(f"{text}:plain", tmp_path / "trained", answers=answers, features="body")
    assert train(prepare_training(request, other).setup, fabric_of("cpu", "fp32")).finished
    assert pretrained.read_bytes() == (tmp_path / "trained" / "best.safetensors").read_bytes()

    handed_on, tensors = stage_of(work, 2).supernet, load_file(pretrained)
    body = {path: each for path, each in answers.items() if path.question in handed_on.program.questions}
    open_ = next(path for path in handed_on.questions if path not in body)
    found = handed_on.weights_for({**body, open_: (handed_on.answers(open_)[0],)})
    assert len(tensors) > 4
    assert all(name.startswith("body_trunk.") and torch.equal(found[name], each) for name, each in tensors.items())
    rest = {name: each for name, each in handed_on.state_dict().items() if name.startswith("body_trunk.")}
    changed = {name for name, each in rest.items() if not torch.equal(each, waiting[name])}
    assert 0 < len(changed) < len(rest)
    (chosen,) = answers.values()
    assert all(chosen[0] in name or "num_batches" in name for name in changed), changed


def test_of_pixels_the_whole_network_is_trained_with_their_classes(tmp_path: Path) -> None:
    whole = (
        TEXT.replace("imagenet(body)", "camvid").replace("flip, crop(24x24)", "flip").replace("batch = 4", "batch = 2")
    )
    text = write(tmp_path, whole)
    work = work_of(text, tmp_path / "run", open_data(f"camvid:{segnet(tmp_path / 'camvid')}"))
    while not work.finished:
        work.advance()
    tensors = load_file(tmp_path / "run" / "pretrained" / "pretraining" / "best.safetensors")
    assert tensors["logits_conv.weight"].shape[0] == 11
    assert (tmp_path / "run" / "genotype.arch").exists()


@pytest.mark.slow
def test_killed_while_it_pretrains_it_is_resumed_bit_for_bit(tmp_path: Path, images: Path) -> None:
    text, more = write(tmp_path, TEXT), ["--pretrain", f"folder:{images}", "--save-every", "1"]
    whole = ran(text, tmp_path / "whole", *more)
    steps = [(line["phase"], line["step"]) for line in journal(whole, "step")]
    assert steps == [
        ("first", 1),
        ("first", 2),
        *(("pretraining", n) for n in range(3, 9)),
        ("second", 9),
        ("second", 10),
    ]
    assert {line["phase"] for line in journal(whole, "score") if "top1" in line} == {"pretraining"}
    arguments, run = command(text, tmp_path / "run", *more), tmp_path / "run"
    lines = (whole / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    killed(arguments, run, next(n for n, line in enumerate(lines) if '"step": 6' in line), 0.0)
    assert not (run / "supernet.safetensors").exists()
    done = finished([*arguments, "--resume"])
    assert done.returncode == 0, done.stderr
    same(whole, run)
    for name in ("best", "last"):
        one, other = (each / "pretrained" / "pretraining" / f"{name}.safetensors" for each in (whole, run))
        assert one.read_bytes() == other.read_bytes()
    assert archdsl(["report", str(run), "-o", str(tmp_path / "page.html")]) == 0
    changed = finished([*command(text, run), "--resume"])
    assert changed.returncode == 2, changed.stderr


@pytest.mark.slow
def test_two_processes_pretrain_what_one_does(tmp_path: Path, images: Path) -> None:
    text, more = write(tmp_path, TEXT), ["--pretrain", f"folder:{images}"]
    alone = ran(text, tmp_path / "alone", *more)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "archdsl"]
    arguments = command(text, tmp_path / "both", *more)
    done = finished([sys.executable, *torchrun, *arguments[3:]])
    assert done.returncode == 0, done.stderr[-3000:]
    for place in ("pretrained/pretraining/last.safetensors", "supernet.safetensors"):
        one, two = (load_file(each / place) for each in (alone, tmp_path / "both"))
        for name, expected in one.items():
            assert torch.allclose(two[name], expected, rtol=1e-4, atol=1e-5), name


def test_without_data_the_phase_is_left_out_and_said(tmp_path: Path) -> None:
    prepared = prepare(SearchRequest(str(write(tmp_path, TEXT)), tmp_path / "run"), streets())
    assert [each.main.name for each in prepared.setup.stages] == ["first", "second"]
    assert any(
        "`pretraining` is left out, as no data were given to it (`--pretrain" in each for each in prepared.notices
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("    pretrain = imagenet(body)\n", "    answer_for = nothing\n", "no phase of `found` pretrains"),
        ("    network = plain\n", "", "of which `ending.operator` is not answered then"),
        ("    iterations = 6\n    augment", "    augment", "nothing says how long the phase `pretraining` is"),
    ],
)
def test_what_cannot_be_pretrained_is_refused(
    before: str, after: str, words: str, tmp_path: Path, images: Path
) -> None:
    text = write(tmp_path, TEXT.replace(before, after))
    with pytest.raises(Refused) as found:
        prepare(SearchRequest(str(text), tmp_path / "run"), streets(), open_data(f"folder:{images}"))
    assert words in str(found.value)
    assert not (tmp_path / "run").exists()
