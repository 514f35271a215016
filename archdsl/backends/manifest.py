"""What a compile writes down about itself: a JSON file beside its artefacts, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, model_validator

from archdsl.backends.failures import TargetFailed
from archdsl.backends.options import Precision
from archdsl.documents import MIB, Schema, Unfit, VersionOne, read, text
from archdsl.files import read_whole

FORMAT_VERSION = 1
LARGEST: Final = 16 * MIB
"""Bytes. Most are names of classes and parameters."""

Sha256: TypeAlias = Annotated[str, text("^[0-9a-f]{64}$", "64 digits from 0 to f")]
JsonValue: TypeAlias = "bool | int | float | str | list[int] | None"
Length: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
_Alone: TypeAlias = Annotated[int, Field(ge=1, le=1)]


class ManifestUnreadable(Exception):
    """A file that is not a manifest of a known version; the text says why."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"`{path}` is no manifest: {what}")


class SourceFile(Schema):
    path: str
    """As given, so that a manifest holds no absolute paths of the machine that wrote it."""
    sha256: Sha256


class Artefact(Schema):
    path: str = text(
        r"^[^/\\\x00-\x1f\x7f]*[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*$", "the name of a file beside the manifest"
    )
    """The name of a file beside the manifest."""
    kind: str
    """As the target's back end calls it: `onnx`, `torch-source`, `weights`, `trt-plan`, `trt-sidecar`."""
    bytes: int = Field(ge=0)
    sha256: Sha256


class Preprocessing(Schema):
    """What is done to an image before it enters: RGB from 0 to 1, minus `mean`, divided by `std`, by channel."""

    channel_order: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    padding_multiple: int = Field(default=1, ge=1)
    """Height and width have to be multiples of it."""


class Input(Schema):
    name: str
    shape: tuple[_Alone, Length, Length, Length]
    """Images, channels, height, width."""
    preprocessing: Preprocessing = Preprocessing()


class Output(Schema):
    name: str
    shape: tuple[Length, ...]
    kind: Literal["logits", "labels"]


class Classes(Schema):
    count: int = Field(ge=1)
    names: tuple[str, ...] = ()
    """In the order of the channels; empty where the data set is not known."""


class RandomWeights(Schema):
    source: Literal["random"] = "random"
    seed: int = Field(ge=0)


class FileWeights(Schema):
    source: Literal["file"] = "file"
    path: str
    sha256: Sha256


class Measured(Schema):
    """How far one runtime was from the torch network, as a share of the largest logit."""

    runtime: str
    height: Length
    width: Length
    difference: float | None = Field(ge=0)
    """None where nothing was measured, or where the outputs hold NaN."""
    tolerance: float
    within: bool
    not_run: str = ""
    """Why nothing could be measured; empty where it was."""


class Manifest(Schema):
    format_version: VersionOne = FORMAT_VERSION
    name: str
    """Of the network, as the text has it."""
    space: str = ""
    hash: str = ""
    """Of the text's structure."""
    sources: tuple[SourceFile, ...] = ()
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """Of the space, with those overridden on the command line."""
    target: str
    options: dict[str, JsonValue] = Field(default_factory=dict)
    tools: dict[str, str] = Field(default_factory=dict)
    """Versions of the libraries that had a part in it."""
    inputs: tuple[Input, ...] = Field(min_length=1)
    outputs: tuple[Output, ...] = Field(min_length=1)
    classes: Classes | None = None
    weights: RandomWeights | FileWeights = Field(discriminator="source")
    artefacts: tuple[Artefact, ...] = Field(min_length=1)
    """Each kind once."""
    parity: tuple[Measured, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Manifest:
        for field, names in (
            ("artefacts", [each.path for each in self.artefacts]),
            ("artefacts", [each.kind for each in self.artefacts]),
            ("inputs", [each.name for each in self.inputs]),
            ("outputs", [each.name for each in self.outputs]),
        ):
            twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
            if twice is not None:
                raise ValueError(f"`{field}` have `{twice}` twice")
        if self.options.get("precision", Precision.FP32) not in list(Precision):
            raise ValueError(f"`options.precision` has to be {' or '.join(map(repr, map(str, Precision)))}")
        return self

    @property
    def precision(self) -> Precision:
        return Precision(str(self.options.get("precision", Precision.FP32)))


def manifest_bytes(manifest: Manifest) -> bytes:
    """JSON with sorted keys and no times in it."""
    content = manifest.model_dump(mode="json")
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_manifest(path: Path) -> Manifest:
    """Raises ManifestUnreadable where the file is something else, OSError where it cannot be read."""
    try:
        return read(Manifest, path, LARGEST)
    except Unfit as error:
        raise ManifestUnreadable(path, str(error)) from None


def read_artefact(path: Path, artefact: Artefact) -> bytes:
    """A file that a manifest vouches for, of which no more is read than it says. Raises TargetFailed, OSError."""
    data = read_whole(path, artefact.bytes + 1)
    if len(data) != artefact.bytes:
        raise TargetFailed(f"`{path}` is not the file that was compiled: its size is not {artefact.bytes:,} bytes")
    if hashlib.sha256(data).hexdigest() != artefact.sha256:
        raise TargetFailed(f"`{path}` is not the file that was compiled: its sha256 differs")
    return data
