"""Networks for inference: from a run, from a text with weights, or from a compiled ONNX file.

Legend of shape suffixes: B images, K classes, H height, W width; h, w are sizes of a smaller map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from archdsl.data import Classes
from archdsl.data.class_colours import classes_of
from archdsl.data.inputs import MODES
from archdsl.data.model import COLOURS, RGB, ImageInput, Statistic
from archdsl.ir import vector_outputs
from archdsl.nets import Network, load_weights
from archdsl.nets.inputs import InputPart, unstacked
from archdsl.pipeline import Loaded, load
from archdsl.pipeline.classes import fitted
from archdsl.train.errors import NotFinite, Refused
from archdsl.train.outputs import ImageLogits, at_size, chosen, inputs_of, main_output, shape_of
from archdsl.train.prepare import network_of_run
from archdsl.train.run import BEST, Record
from archdsl.train.typed_torch import channels_last
from archdsl.weights import load as load_tensors
from archdsl.weights.description import Description, describe

if TYPE_CHECKING:
    from archdsl.backends.onnx.session import OnnxSession

Logits = Callable[[Tensor], Tensor]
"""Images BxCxHxW, the channels of all inputs, to logits BxKxHxW, or BxK of a classifier of whole images.

Images are normalised, H and W multiples of what the network needs.
"""
ONNX = ".onnx"
_ELSE = {
    **dict.fromkeys(
        (".safetensors", ".pt", ".pth", ".ckpt"),
        "`{}` holds weights: name the text of its network, and give them with `--weights`",
    ),
    ".py": "`{}` is a compiled torch file: name the text and give its weights with `--weights`, or take an `.onnx`",
    ".plan": "`{}` is a TensorRT plan, which only `archdsl bench` runs: take an `.onnx` of the same network",
    ".json": "`{}` is not a network: name a run's folder, a text, or an `.onnx` file",
}


@dataclass(frozen=True, slots=True)
class InferenceNetwork:
    """A network with its preprocessing and classes."""

    written: str
    """As the user wrote it."""
    logits: Logits
    padding_multiple: int
    classes: Classes | None
    """None where they are unknown."""
    count: int
    """The number of classes."""
    statistics: tuple[Statistic, Statistic] | None
    """Mean and standard deviation of each channel for normalisation; None where they are unknown."""
    inputs: tuple[ImageInput, ...] = RGB
    """What it reads; images have the channels of all inputs."""
    whole: bool = False
    """Whether it classifies whole images."""
    labels: bool = False
    """Whether it outputs labels instead of logits, so that views cannot be averaged."""
    notices: tuple[str, ...] = ()
    """What a user should know, a sentence each."""


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """A network, its weights and parameters, as a command names them."""

    what: str
    weights: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    output: str | None = None
    """The output of classes; None for the only one, or that of a run."""

    @property
    def onnx(self) -> bool:
        return self.what.endswith(ONNX)


def device_of(device: str, request: NetworkRequest) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`; ONNX files run on the CPU. Raises Refused for an unavailable one."""
    if device == "cuda" and not torch.cuda.is_available():
        raise Refused("there is no CUDA device that this torch can use: take `--device cpu`")
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available() and not request.onnx)
    return torch.device("cuda" if cuda else "cpu")


def open_network(request: NetworkRequest, device: torch.device) -> InferenceNetwork:
    """Raises Refused, NoRun, NotLoaded, WeightsMismatch, UnreadableWeights, BrokenWeights, TargetFailed, OSError."""
    for suffix, words in _ELSE.items():
        if request.what.endswith(suffix):
            raise Refused(words.format(request.what))
    if request.onnx:
        found = _of_file(request, device)
    elif Path(request.what).is_dir():
        found = _of_run(request, device)
    else:
        found = _of_text(request, device)
    return replace(found, logits=partial(_finite, found))


def _finite(network: InferenceNetwork, images_B3HW: Tensor) -> Tensor:
    """The logits of a network. Raises NotFinite: a comparison with NaN would make a class of them like any other."""
    logits = network.logits(images_B3HW)
    if not bool(logits.isfinite().all()):
        raise NotFinite(
            f"`{network.written}` gives NaN or infinite logits, which say nothing of classes: look at its weights, and "
            "at the mean and deviation that images are prepared with"
        )
    return logits


def _of_run(request: NetworkRequest, device: torch.device) -> InferenceNetwork:
    folder = Path(request.what)
    if request.overrides:
        raise Refused(f"`{folder}` is a run, whose parameters are those that it was trained with: leave out `--set`")
    loaded, record = network_of_run(folder)
    place = weights_of_run(folder) if request.weights is None else _weights(request.weights)
    data = record.values["data"]
    known = Classes(tuple(data["classes"]), tuple((r, g, b) for r, g, b in data["colours"]))
    trained = Description(known.names, tuple(data["mean"]), tuple(data["std"]))
    return _of_network(request, loaded, place, trained, known, device, record.values.get("output"))


def _of_text(request: NetworkRequest, device: torch.device) -> InferenceNetwork:
    loaded = load(request.what, overrides=request.overrides)
    if request.weights is None:
        raise Refused(f"`{request.what}` has no weights: give those of a training with `--weights RUN`")
    place = _weights(request.weights)
    trained = describe(place)
    loaded = fitted(loaded, request.what, request.overrides, len(trained.class_names))
    if not loaded.closed:
        raise Refused(f"`{loaded.name}` still asks questions: answer them in a genotype, and name that")
    return _of_network(request, loaded, place, trained, None, device)


def _of_network(
    request: NetworkRequest,
    loaded: Loaded,
    place: Path,
    trained: Description,
    known: Classes | None,
    device: torch.device,
    trained_output: str | None = None,
) -> InferenceNetwork:
    graph, inputs = loaded.network(), inputs_of(loaded)
    output = main_output(graph, request.output or trained_output)
    count = shape_of(graph, output).channels
    assert isinstance(count, int)
    network = Network(graph)
    weights = load_tensors(place, graph)
    load_weights(network, weights.tensors)
    channels_last(network.eval(), device)
    logits = ImageLogits(network, output)

    if trained.class_names and len(trained.class_names) != count:
        raise Refused(f"`{place}` names {len(trained.class_names)} classes, and `{loaded.name}` gives {count}")
    known = known or (classes_of(trained.class_names) if trained.class_names else None)
    return InferenceNetwork(
        request.what,
        logits,
        loaded.padding_multiple,
        known,
        count,
        _statistics(request, trained, inputs),
        inputs,
        whole=output in vector_outputs(graph),
        notices=weights.notices,
    )


def _of_file(request: NetworkRequest, device: torch.device) -> InferenceNetwork:
    if request.weights is not None or request.overrides:
        raise Refused(f"`{request.what}` has its weights and parameters in it: leave out `--weights` and `--set`")
    if device.type != "cpu":
        raise Refused("compiled ONNX files run on the CPU here: take `--device cpu`")
    from archdsl.backends.onnx.session import open_onnx

    session = open_onnx(Path(request.what))
    output = chosen(request.what, list(session.outputs), request.output)
    classes, inputs = session.outputs[output], tuple(ImageInput(each.name, each.channels) for each in _parts(session))
    for each in inputs:
        if each.channels not in MODES:
            raise Refused(f"`{each.name}` of `{request.what}` has {each.channels} channels, and images have 1 to 4")
    names = session.description.class_names
    count = classes or len(names)
    if not count:
        raise Refused(
            f"`{request.what}` gives labels and does not name their classes: compile it with trained weights, "
            "or with `--emit logits`"
        )
    if names and count != len(names):
        raise Refused(f"`{request.what}` names {len(names)} classes, and gives {count}")
    random = f"the weights of `{request.what}` are random: it was compiled without trained ones"
    return InferenceNetwork(
        request.what,
        _FileLogits(request.what, session, output, count),
        session.padding_multiple,
        classes_of(names) if names else None,
        count,
        _statistics(request, session.description, inputs, backwards=session.channel_order == "BGR"),
        inputs,
        whole=output in session.vectors,
        labels=classes is None,
        notices=(random,) if session.random else (),
    )


def _parts(session: OnnxSession) -> tuple[InputPart, ...]:
    """The inputs of a file; an open size is that of the image, open channels are those of RGB."""
    shapes = {
        name: [each if isinstance(each, int) else None for each in shape] for name, shape in session.inputs.items()
    }
    first = next(iter(shapes.values()))
    return tuple(
        InputPart(name, channels or COLOURS, Fraction(height or 1, first[2] or 1), Fraction(width or 1, first[3] or 1))
        for name, (_, channels, height, width) in shapes.items()
    )


@dataclass(frozen=True, slots=True)
class _FileLogits:
    """An ONNX file as a function from images to logits; labels become one-hot logits."""

    written: str
    session: OnnxSession
    output: str
    count: int

    def __call__(self, images_B3HW: Tensor) -> Tensor:
        height, width = images_B3HW.shape[-2:]
        if self.session.channel_order == "BGR":
            images_B3HW = torch.cat([images_B3HW[:, :COLOURS].flip(1), images_B3HW[:, COLOURS:]], dim=1)
        padded = self._padded(images_B3HW)
        # The file is for one image at a time.
        found = [self._one(padded[number : number + 1]) for number in range(len(padded))]
        return torch.cat(found) if self.output in self.session.vectors else torch.cat(found)[..., :height, :width]

    def _padded(self, images_B3HW: Tensor) -> Tensor:
        if self.session.size is None:
            return images_B3HW
        below, right = (wanted - found for wanted, found in zip(self.session.size, images_B3HW.shape[-2:], strict=True))
        if below < 0 or right < 0:
            channels = _parts(self.session)[0].channels
            raise Refused(
                f"`{self.written}` is for images of {_size(self.session.size)}, and one of "
                f"{_size(images_B3HW.shape[-2:])} does not fit: compile it with "
                f"`--input 1x{channels}x{_size(images_B3HW.shape[-2:])}`, or make images smaller with `--size`"
            )
        return nn.functional.pad(images_B3HW, (0, right, 0, below))

    def _one(self, image_1CHW: Tensor) -> Tensor:
        parts = _parts(self.session)
        images = {part.name: each.numpy() for part, each in zip(parts, unstacked(image_1CHW, parts), strict=True)}
        found = dict(zip(self.session.outputs, self.session.run(images), strict=True))[self.output]
        given = torch.as_tensor(found.astype(np.float32))
        size = (image_1CHW.shape[2], image_1CHW.shape[3])
        if self.session.outputs[self.output] is not None:
            return at_size(given, size)
        labels_1HW = given.long()  # of a vector 1
        least, most = int(labels_1HW.min()), int(labels_1HW.max())
        if least < 0 or most >= self.count:
            wrong = least if least < 0 else most
            raise Refused(f"`{self.written}` names {self.count} classes, and gives the label {wrong}")
        return nn.functional.one_hot(labels_1HW, self.count).movedim(-1, 1).float()


def weights_of_run(folder: Path) -> Path:
    """The run's best weights. Raises NoRun, Refused where there are none yet."""
    Record.read(folder)
    if not (folder / BEST).exists():
        raise Refused(f"the run in `{folder}` has no weights yet: it writes `{BEST}` after its first epoch")
    return folder / BEST


def _weights(place: Path) -> Path:
    return weights_of_run(place) if place.is_dir() else place


def _statistics(
    request: NetworkRequest, trained: Description, inputs: tuple[ImageInput, ...], *, backwards: bool = False
) -> tuple[Statistic, Statistic] | None:
    """Mean and standard deviation of each channel; `backwards` for a file that has those of RGB in BGR order.

    Raises Refused where they are of other channels than the network reads.
    """
    if not trained.mean:
        return None
    channels = sum(each.channels for each in inputs)
    if len(trained.mean) != channels:
        raise Refused(
            f"`{request.what}` reads {channels} channels, and its images were prepared with a mean of "
            f"{len(trained.mean)}: it was trained on other inputs"
        )
    if backwards:
        return (*trained.mean[2::-1], *trained.mean[3:]), (*trained.std[2::-1], *trained.std[3:])
    return trained.mean, trained.std


def _size(size: Any) -> str:
    return "x".join(map(str, size))
