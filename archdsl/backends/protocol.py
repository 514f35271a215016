"""What a back end is: one target of `archdsl compile`, with everything that the other commands need to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from archdsl.backends.manifest import FileWeights, JsonValue, Manifest, RandomWeights, SourceFile
from archdsl.backends.options import Emit, Precision, Refused
from archdsl.ir import ClosedGraph
from archdsl.ops import Primitive, Shape
from archdsl.weights import Tensors

Size: TypeAlias = "tuple[int, int]"
"""Height and width of an image."""

Shapes: TypeAlias = "Mapping[str, tuple[int, int, int, int]]"
"""Of each input by its name, in the order of the text: images, channels, height, width."""

Maps: TypeAlias = "Mapping[str, NDArray[np.generic]]"


# Compiling --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Described:
    """What the manifest says of a network beside its graph."""

    text: str = ""
    """`FILE:NAME` as the user gave it."""
    space: str = ""
    hash: str = ""
    sources: tuple[SourceFile, ...] = ()
    parameters: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    class_names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    padding_multiple: int = 1
    """What height and width have to be multiples of."""


@dataclass(frozen=True, slots=True)
class Request:
    """One network to compile to one target."""

    graph: ClosedGraph
    """At the input size to compile for."""
    weights: Tensors
    weights_source: RandomWeights | FileWeights
    target: str
    out: Path | None = None
    described: Described = field(default_factory=Described)
    precision: Precision = Precision.FP32
    emit: Emit = Emit.LOGITS
    verify: bool = False
    tolerance: float | None = None
    """Of the largest logit; by precision where it is None."""
    notices: tuple[str, ...] = ()
    """What a user should know of the weights, a sentence each."""


@dataclass(frozen=True, slots=True)
class Built:
    """One file of a target, not yet written."""

    kind: str
    """What the file is, as the manifest says it: `onnx`, `weights`."""
    suffix: str
    data: bytes


# Comparing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CellEnd:
    """The last map that leaves a cell, or what stands outside of cells: a line or an op of the network itself."""

    cell: str
    path: str
    folded: str
    """The path of the layer that has this map once batch norms are folded into the layers before them."""
    module: str
    """The torch module whose last output it is; empty where a primitive stands in the network itself."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Images to run compiled files on, and the maps to look at."""

    images: Mapping[str, NDArray[np.float32]]
    """Of each input by its name, in the order of the text, 1xCxHxW."""
    outputs: tuple[str, ...]
    """Names of the main outputs, in the text's order."""
    ends: tuple[CellEnd, ...]
    trust: bool = True
    """Whether code in the files may be executed: it was made here, or the user trusts it."""

    @property
    def shapes(self) -> Shapes:
        return shapes_of(self.images)

    @property
    def size(self) -> Size:
        """Of the first input."""
        _, _, height, width = next(iter(self.shapes.values()))
        return height, width


def shapes_of(images: Mapping[str, NDArray[np.float32]]) -> Shapes:
    return {name: (image.shape[0], image.shape[1], image.shape[2], image.shape[3]) for name, image in images.items()}


@dataclass(frozen=True, slots=True)
class Observed:
    """What a runtime computed: outputs by their names, and the last maps of cells by the paths of their nodes."""

    outputs: Maps
    cells: Maps
    checked: tuple[str, ...] = ()
    """What was checked besides: `header`."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """Why nothing was computed here."""

    reason: str
    checked: tuple[str, ...] = ()


# Timing -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds of each run, without those that warmed up."""

    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    """Of all threads of the process together."""


@dataclass(frozen=True, slots=True)
class TimedFile:
    """A compiled file that is open and can be run again and again."""

    runtime: str
    version: str
    device: str
    threads: int
    inputs: Shapes
    measure: Callable[[int, int, Callable[[int], None]], Samples]
    """Runs it so often to warm up, then so often for the samples, and tells of every run that is done."""


# The protocol -----------------------------------------------------------------------------------


@runtime_checkable
class Backend(Protocol):
    """One target. Packages add one by an entry point of the group `archdsl.targets`: `NAME = module:BACKEND`.

    Importing its module costs little: what is slow to import is imported by its methods.
    """

    @property
    def name(self) -> str:
        """As `--target` takes it."""
        ...

    @property
    def title(self) -> str:
        """As prose names it: `ONNX`."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """By which `-o FILE` means a file of this target."""
        ...

    @property
    def timed(self) -> tuple[str, ...]:
        """Suffixes of its files that can be timed."""
        ...

    @property
    def precisions(self) -> tuple[Precision, ...]: ...

    @property
    def emits(self) -> tuple[Emit, ...]: ...

    @property
    def auxiliary(self) -> bool:
        """Whether auxiliary outputs are in its files."""
        ...

    @property
    def runtime(self) -> str:
        """What runs its files when they are compared, as `verify` shows it."""
        ...

    def expresses(self, primitive: Primitive) -> bool:
        """Whether it has a form for a primitive."""
        ...

    def refuse(self, request: Request) -> Refused | None:
        """What it cannot do, in its own words; of precisions, outputs and primitives the caller says it else."""
        ...

    def build(self, request: Request, stem: str) -> tuple[Built, ...]:
        """The files, which will be called `stem` and their suffix. Raises ToolMissing, TargetFailed."""
        ...

    def libraries(self, request: Request) -> tuple[str, ...]:
        """Installed distributions whose versions the manifest names."""
        ...

    def run(self, files: Mapping[str, bytes], probe: Probe) -> Observed | NotRun:
        """Runs the files of one manifest, by their kinds, whose checksums are right.

        A manifest vouches for itself, so a target that executes code in its files does so only where the probe says
        `trust`. Raises TargetFailed, and Untrusted where it would have to.
        """
        ...

    def recognises(self, file: Path) -> bool:
        """Whether a file of a folder, which has such a suffix, is one to time."""
        ...

    def open(self, file: Path, asked: Shape | None, threads: int, *, trust: bool) -> TimedFile:
        """A file to time, its first input as it is `asked` for; without `trust` no code in it is executed.

        Raises NotTimed, Untrusted, ToolMissing, TargetFailed, ManifestUnreadable, UnreadableWeights, OSError.
        """
        ...


GraphOf: TypeAlias = "Callable[[Manifest], ClosedGraph | str]"
"""The graph of the text that a manifest names, or why there is none."""


@runtime_checkable
class MadeAnew(Protocol):
    """A target whose files hold code that is cheap to make anew: instead of a file's code, its own is run."""

    def made_anew(self, graph: ClosedGraph, files: Mapping[str, bytes]) -> Mapping[str, bytes] | None:
        """Files, by their kinds, with code of our own in the place of equal code; None where it is other code."""
        ...

    def open_anew(self, file: Path, asked: Shape | None, threads: int, graph_of: GraphOf) -> TimedFile:
        """As `Backend.open`, with the code made anew. Raises Untrusted where the file's is other code."""
        ...
