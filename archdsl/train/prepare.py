"""From a training request to a setup: the network, its recipe, the data, the initial weights."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archdsl.data import Data, ImageInput
from archdsl.ir import ClosedGraph, vector_outputs
from archdsl.nets import Network, load_weights
from archdsl.pipeline import Loaded, load, trainings
from archdsl.pipeline.classes import CLASSES, with_classes
from archdsl.pipeline.spelled_answers import OtherAnswers, read_answers, spelled_answers
from archdsl.runs.record import TrainingRecord, read_record
from archdsl.settings import Training
from archdsl.settings.losses import Bootstrapped, CrossEntropy
from archdsl.settings.optimizers import Sgd, WeightStep
from archdsl.settings.schedules import Poly
from archdsl.settings.trainings import Augmentation, Auxiliary, Crop, Epochs, Flip, Iterations, Scale
from archdsl.space.trace import Answers
from archdsl.train.batch_norms import check_batch_norms
from archdsl.train.classifier import features_of
from archdsl.train.errors import Refused
from archdsl.train.outputs import (
    ImageLogits,
    check_logits,
    inputs_of,
    main_output,
    outputs_of,
    shape_of,
    trained_parameters,
)
from archdsl.train.run import BEST, RECORD, Record, Setup
from archdsl.weights import load as load_tensors
from archdsl.weights import specification
from archdsl.weights.files import open_weights


def plain_recipe(space: str) -> Training:
    """The default recipe for a space without a training: what the papers of the packaged spaces share."""
    return Training(
        name="plain",
        space=space,
        parameters=(),
        of=space,
        initial=None,
        duration=Epochs(200),
        loss=CrossEntropy(),
        auxiliary=Auxiliary(0.4),
        weights=WeightStep(Sgd(Poly(0.01, 0.9), momentum=0.9, weight_decay=5e-4), batch=8),
        augment=(Flip(), Scale(0.5, 2.0), Crop()),
        distill=None,
    )


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """A training request; None stands for the recipe's value."""

    genotype: str
    """A text; with `answers` one of their space."""
    out: Path
    answers: Answers | None = None
    recipe: str | None = None
    """The name of a `train` item."""
    teacher: Path | None = None
    """The folder of a run."""
    init: Path | None = None
    """Weights, or the folder of a run."""
    crop: tuple[int, int] | None = None
    batch: int | None = None
    epochs: int | None = None
    iterations: int | None = None
    seed: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    score_every: int = 1
    save_every_steps: int | None = None
    accumulate: int = 1
    train_on: str = "train"
    score_on: str = "val"
    output: str | None = None
    """The output of classes, where there are several."""
    features: str = ""
    """The part of the network that has the feature map to classify by; empty for the whole network."""


@dataclass(frozen=True, slots=True)
class InitWeights:
    """Matching tensors by name; a tensor of the same name but another shape keeps its random initialisation."""

    tensors: Mapping[str, Tensor]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    """Name, shape in the file, shape in the network."""
    new: tuple[str, ...]
    """In the network only."""
    unused: tuple[str, ...]
    """In the file only."""
    notices: tuple[str, ...] = ()
    """What a user should know of the file, a sentence each."""


@dataclass(frozen=True, slots=True)
class Prepared:
    setup: Setup
    notices: tuple[str, ...]
    """Notices for the user, a sentence each."""
    initial: InitWeights | None


def prepare(request: TrainRequest, data: Data) -> Prepared:
    """Checks a request and makes its setup. Raises NotLoaded, Refused, BadData."""
    first = load(request.genotype, overrides=request.overrides)
    classifies = data.task == "classification" and not request.features and _is_classifier(first, request)
    _check_inputs(first, data)
    overrides = dict(request.overrides)
    if classifies or data.task == "segmentation":
        overrides = with_classes(first, request.overrides, data.classes.count)
    recipe, notices = _recipe(request, first)
    size, more = crop_size(request.crop, recipe.augment, data, request.train_on, first.padding_multiple)
    notices += more
    loaded = load(request.genotype, overrides=overrides, size=size)
    if request.answers is not None:
        loaded = loaded.answered(request.answers)
    if not loaded.closed:
        raise Refused(f"`{loaded.name}` still asks questions: answer them in a genotype, and train that")
    graph = loaded.network()
    check_batch_norms(graph, recipe.weights.batch, request.accumulate)
    output = ""
    if classifies or data.task == "segmentation":
        output = main_output(graph, request.output)
        notices += _check_outputs(graph, output, data)
    if data.task == "classification":
        recipe, more = of_whole_images(recipe)
        notices += more
    initial = None if request.init is None else match_weights(request.init, graph)
    if recipe.initial is not None and request.init is None:
        notices.append(
            f"the recipe begins with weights from {recipe.initial.data}, and none were given: "
            "this begins at random (`--init RUN` takes those of a pretraining)"
        )
    features = None
    if data.task == "classification" and not classifies:
        features = features_of(graph, request.features)
        notices.append(f"whole images are classified by the mean of `{features.path}`, {features.channels} channels")
    if request.teacher is not None and recipe.distill is None:
        raise Refused("the recipe does not say how to learn from a teacher: write `distill = kl()` in it")
    if request.teacher is None and recipe.distill is not None:
        notices.append("no teacher was given (`--teacher RUN`): the network learns from labels alone")
        recipe = replace(recipe, distill=None)
    classes = f"{data.classes.count} classes of {data.written}: {', '.join(data.classes.names)}"
    notices[:0] = (classes, *data.remarks.get(request.train_on, ()))
    setup = Setup(
        graph=graph,
        recipe=replace(recipe, augment=cropped(recipe.augment)),
        data=data,
        out=request.out,
        size=size,
        padding_multiple=loaded.padding_multiple,
        seed=request.seed,
        initial={} if initial is None else initial.tensors,
        features=features,
        teacher=None if request.teacher is None else _teacher(request.teacher, data, classifies=classifies),
        output=output,
        train_on=request.train_on,
        score_on=request.score_on,
        score_every=request.score_every,
        save_every_steps=request.save_every_steps,
        accumulate=request.accumulate,
        about=_about(request, loaded, overrides),
    )
    return Prepared(setup, tuple(notices), initial)


def _about(request: TrainRequest, loaded: Loaded, overrides: Mapping[str, str]) -> dict[str, Any]:
    text = loaded.target.path
    return {
        "network": loaded.name,
        "space": loaded.program.name,
        "hash": loaded.program.hash,
        "answers": spelled_answers(loaded.program, loaded.meaning.answers),
        "text": None if text is None else os.path.relpath(text, request.out),
        "item": loaded.target.item,
        "overrides": dict(overrides),
        "padding_multiple": loaded.padding_multiple,
        "init": None if request.init is None else str(request.init),
        "teacher": None if request.teacher is None else str(request.teacher),
        **({} if request.output is None else {"output": request.output}),
    }


def network_of_run(folder: Path, *, size: tuple[int, int] | None = None) -> tuple[Loaded, Record]:
    """The network and the record of a run. Raises NoRun, NotLoaded, Refused where the text has changed."""
    found, values = read_record(folder, TrainingRecord)
    if found.text is None:
        raise Refused(f"the network of `{folder}` came from standard input: name its text beside the run")
    target = os.path.relpath(folder / found.text) + (f":{found.item}" if found.item else "")
    loaded = load(target, overrides=found.overrides, size=size)
    changed = loaded.program.hash != found.hash
    try:
        if not changed and not loaded.is_genotype:
            loaded = loaded.answered(read_answers(loaded.program, found.answers))
        changed = changed or spelled_answers(loaded.program, loaded.meaning.answers) != values["answers"]
    except OtherAnswers as error:
        raise Refused(f"`{folder / RECORD}` cannot be read: {error}; restore the file") from None
    if changed:
        raise Refused(f"`{target}` has changed since the run in `{folder}` trained it: restore the text")
    return loaded, Record(values)


def inputs_of_text(genotype: str, overrides: Mapping[str, str]) -> tuple[ImageInput, ...]:
    """What the network of a text, or any network of its space, reads. Raises NotLoaded."""
    return inputs_of(load(genotype, overrides=overrides))


def _check_inputs(loaded: Loaded, data: Data) -> None:
    """Raises Refused where data were opened for another network."""
    wanted = inputs_of(loaded)
    if [each.channels for each in wanted] != [each.channels for each in data.inputs]:
        reads, given = (" and ".join(map(str, each)) for each in (wanted, data.inputs))
        raise Refused(
            f"`{loaded.name}` reads {reads}, and {data.written} was opened for {given}: give `open_data` what it reads "
            "(`inputs = …`)"
        )


def _is_classifier(loaded: Loaded, request: TrainRequest) -> bool:
    """Whether the network itself classifies whole images; else a head on a map of it does, to pretrain it."""
    if request.answers is not None:
        loaded = loaded.answered(request.answers)
    if not loaded.closed:
        return False
    graph = loaded.network()
    return (request.output or outputs_of(graph, auxiliary=False)[0]) in vector_outputs(graph)


def _check_outputs(graph: ClosedGraph, main: str, data: Data) -> list[str]:
    """Checks the outputs that are trained, the main one and auxiliary ones; returns notices.

    Raises Refused where one is not about what the data label, pixels or whole images, where it has other classes, and
    where no parameter has a gradient.
    """
    vectors, auxiliary = vector_outputs(graph), outputs_of(graph, auxiliary=True)
    for name in (main, *auxiliary):
        check_logits(graph, name)
        if name in vectors and data.task == "segmentation":
            raise Refused(
                f"the output `{name}` of `{graph.name}` is one answer for a whole image, and {data.written} has "
                "a class for each pixel: train it on `--data folder:PATH`, which has images in a folder for each class"
            )
        if name not in vectors and data.task == "classification":
            raise Refused(
                f"the output `{name}` of `{graph.name}` is a map, and {data.written} has a class for each whole "
                "image: end it with `global_avg_pool -> linear(classes)`, or pretrain a part with `--features PART`"
            )
        if (channels := shape_of(graph, name).channels) != data.classes.count:
            what = f"the output `{name}` of `{graph.name}`" if name != main or len(auxiliary) else f"`{graph.name}`"
            raise Refused(
                f"{what} gives {channels} classes, and {data.written} has {data.classes.count}: "
                f"write the number as a parameter `{CLASSES}` of the space, or give it with `--set`"
            )
    if not trained_parameters(graph, (main, *auxiliary)):
        raise Refused(
            f"nothing of `{graph.name}` is trained: no parameter has a part in `{main}`; "
            "`archdsl stats` lists the parameters of each cell"
        )
    notices: list[str] = []
    image = graph.node(graph.images[0]).shape
    if main not in vectors and (shape := shape_of(graph, main)).size != image.size:
        notices.append(
            f"`{main}` has {shape.height}x{shape.width} pixels of an image of {image.height}x{image.width}: it is "
            "resized to the labels"
        )
    others = [f"`{name}`" for name in outputs_of(graph, auxiliary=False) if name != main]
    if others:
        notices.append(f"`{main}` is trained, and {', '.join(others)} not")
    return notices


def of_whole_images(recipe: Training) -> tuple[Training, list[str]]:
    """A whole image has one label, of which no share is the hardest."""
    match recipe.loss:
        case Bootstrapped(_, class_weights):
            notice = "whole images have no hardest pixels: `bootstrapped_cross_entropy` is `cross_entropy` here"
            return replace(recipe, loss=CrossEntropy(class_weights=class_weights)), [notice]
        case _:
            return recipe, []


def _recipe(request: TrainRequest, loaded: Loaded) -> tuple[Training, list[str]]:
    space = loaded.program.name
    known = {each.name: each for each in trainings(request.genotype, space, overrides=request.overrides)}
    notices: list[str] = []
    if request.recipe is not None:
        if request.recipe not in known:
            listed = ", ".join(f"`{name}`" for name in known) or "none"
            raise Refused(f"there is no training `{request.recipe}` of `{space}`; known are: {listed}")
        recipe = known[request.recipe]
    elif len(known) > 1:
        raise Refused(f"`{space}` has several trainings: take one with `--recipe {next(iter(known))}`")
    elif known:
        (recipe,) = known.values()
        notices.append(f"recipe `{recipe.name}`")
    else:
        recipe = plain_recipe(space)
        notices.append(
            f"`{space}` has no training: the plain recipe is taken (SGD, poly, cross-entropy; see docs/training.md)"
        )
    if request.batch is not None:
        recipe = replace(recipe, weights=replace(recipe.weights, batch=request.batch))
    if request.epochs is not None and request.iterations is not None:
        raise Refused("a length is given in epochs and in iterations: take one of them")
    if request.epochs is not None:
        recipe = replace(recipe, duration=Epochs(request.epochs))
    if request.iterations is not None:
        recipe = replace(recipe, duration=Iterations(request.iterations))
    return recipe, notices


def cropped(augment: tuple[Augmentation, ...]) -> tuple[Augmentation, ...]:
    """Augmentation with its crops at the training size; a crop is added at the end where it has none."""
    steps = tuple(Crop() if isinstance(each, Crop) else each for each in augment)
    return steps if Crop() in steps else (*steps, Crop())


def crop_size(
    asked: tuple[int, int] | None, augment: Sequence[Augmentation], data: Data, train_on: str, multiple: int
) -> tuple[tuple[int, int], list[str]]:
    """The training size: the one that is asked for, else the recipe's crop if the images are as large, else theirs.

    With notices for the user. Raises Refused.
    """
    if train_on not in data.splits:
        raise Refused(f"{data.written} has no split `{train_on}`; it has {', '.join(data.splits)}")
    height, width = data.splits[train_on].read(0).image.shape[:2]
    crops = [each.size for each in augment if isinstance(each, Crop) and each.size is not None]
    if asked is not None:
        size, why = asked, ""
    elif crops and crops[0][0] <= height and crops[0][1] <= width:
        size, why = crops[0], ""
    else:
        size = (height, width)
        why = f"images are {height}x{width}, smaller than the recipe's crop" if crops else ""
    even = (-(-size[0] // multiple) * multiple, -(-size[1] // multiple) * multiple)
    if asked is not None and even != size:
        raise Refused(
            f"a crop of {size[0]}x{size[1]} does not divide: height and width are multiples of {multiple}, "
            f"such as {even[0]}x{even[1]}"
        )
    notices = [f"crops of {even[0]}x{even[1]}" + (f": {why}" if why else "")]
    return even, notices


def _teacher(folder: Path, data: Data, *, classifies: bool) -> nn.Module:
    """The network of a run with its best weights, frozen. Raises Refused for other classes or another kind."""
    if not (folder / RECORD).exists():
        raise Refused(f"`{folder}` holds no run: train the teacher first, and name its folder")
    loaded, record = network_of_run(folder)
    classes = record.values["data"]["classes"]
    if classes != list(data.classes.names):
        raise Refused(f"the teacher in `{folder}` knows other classes: {', '.join(classes)}")
    graph = loaded.network()
    output = main_output(graph, record.values.get("output"))
    if inputs_of(loaded) != data.inputs:
        reads = " and ".join(map(str, inputs_of(loaded)))
        raise Refused(
            f"the teacher in `{folder}` reads {reads}, and its student something else: take one that reads the same"
        )
    if (output in vector_outputs(graph)) != classifies:
        what = "classifies whole images" if not classifies else "gives a class for each pixel"
        raise Refused(f"the teacher in `{folder}` {what}, and its student does not: take one of the same kind")
    network = Network(graph)
    load_weights(network, load_tensors(weights_file(folder), graph).tensors)
    return ImageLogits(network, output).requires_grad_(requires_grad=False)


# Initial weights --------------------------------------------------------------------------------


def weights_file(place: Path) -> Path:
    """The file of weights at a path: the path itself, or the best weights of a run's folder."""
    return place / BEST if (place / RECORD).exists() else place


def match_weights(place: Path, graph: ClosedGraph) -> InitWeights:
    """Matches a file's weights with a network.

    Raises Refused where nothing matches, UnreadableWeights, BrokenWeights, OSError.
    """
    path, wanted = weights_file(place), specification(graph)
    found = open_weights(path).unwrapped(wanted)
    fits = found.matching(wanted)
    if not fits:
        raise Refused(f"no tensor of `{path}` fits: `archdsl diff` shows how two networks differ")
    shapes = found.shapes
    return InitWeights(
        {name: torch.as_tensor(each) for name, each in fits.items()},
        tuple((name, shapes[name], each.shape) for name, each in wanted.items() if name in shapes and name not in fits),
        tuple(name for name in wanted if name not in shapes),
        tuple(name for name in shapes if name not in wanted),
        found.notices,
    )
