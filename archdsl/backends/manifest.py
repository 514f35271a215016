"""What a compile writes down about itself: a JSON file beside its artefacts, the same bytes for the same inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archdsl.files import read_whole

FORMAT_VERSION = 1

Sha256 = Field(pattern="^[0-9a-f]{64}$")
JsonValue: TypeAlias = "bool | int | float | str | list[int] | None"


class ManifestUnreadable(Exception):
    """A file that is not a manifest of a known version; the text says why."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceFile(_Record):
    path: str
    """As given, so that a manifest holds no absolute paths of the machine that wrote it."""
    sha256: str = Sha256


class Artefact(_Record):
    path: str = Field(pattern=r"^[^/\\]+$")
    """The name of a file beside the manifest."""
    kind: str
    """As the target's back end calls it: `onnx`, `torch-source`, `weights`, `trt-plan`, `trt-sidecar`."""
    bytes: int = Field(ge=0)
    sha256: str = Sha256


class Preprocessing(_Record):
    """What is done to an image before it enters: RGB from 0 to 1, minus `mean`, divided by `std`, by channel."""

    channel_order: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    padding_multiple: int = Field(default=1, ge=1)
    """Height and width have to be multiples of it."""


class Input(_Record):
    name: str
    shape: tuple[int, int, int, int]
    """Images, channels, height, width."""
    preprocessing: Preprocessing = Preprocessing()


class Output(_Record):
    name: str
    shape: tuple[int, ...]
    kind: Literal["logits", "labels"]


class Classes(_Record):
    count: int = Field(ge=1)
    names: tuple[str, ...] = ()
    """In the order of the channels; empty where the data set is not known."""


class RandomWeights(_Record):
    source: Literal["random"] = "random"
    seed: int


class FileWeights(_Record):
    source: Literal["file"] = "file"
    path: str
    sha256: str = Sha256


class Measured(_Record):
    """How far one runtime was from the torch network, as a share of the largest logit."""

    runtime: str
    height: int
    width: int
    difference: float | None
    """None where nothing was measured, or where the outputs hold NaN."""
    tolerance: float
    within: bool
    not_run: str = ""
    """Why nothing could be measured; empty where it was."""


class Manifest(_Record):
    format_version: Literal[1] = FORMAT_VERSION
    name: str
    """Of the network, as the text has it."""
    space: str = ""
    hash: str = ""
    """Of the text's structure."""
    sources: tuple[SourceFile, ...] = ()
    parameters: dict[str, JsonValue] = {}
    """Of the space, with those overridden on the command line."""
    target: str
    options: dict[str, JsonValue] = {}
    tools: dict[str, str] = {}
    """Versions of the libraries that had a part in it."""
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    classes: Classes | None = None
    weights: RandomWeights | FileWeights = Field(discriminator="source")
    artefacts: tuple[Artefact, ...]
    parity: tuple[Measured, ...] = ()


def manifest_bytes(manifest: Manifest) -> bytes:
    """JSON with sorted keys and no times in it."""
    content = manifest.model_dump(mode="json")
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_manifest(path: Path) -> Manifest:
    """Raises ManifestUnreadable where the file is something else, OSError where it cannot be read."""
    try:
        return Manifest.model_validate_json(read_whole(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestUnreadable(f"{path} is no manifest: {place}: {first['msg']}".replace(": :", ":")) from error
