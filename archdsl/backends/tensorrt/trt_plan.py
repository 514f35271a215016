"""A serialized TensorRT engine (plan) with its header and sidecar, read without TensorRT."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from archdsl.backends.manifest import Length, Sha256
from archdsl.backends.options import Precision
from archdsl.backends.protocol import Shapes
from archdsl.documents import Schema, Unfit, VersionOne, parse
from archdsl.extras import Extra, install_line


class Flavour(StrEnum):
    """Which TensorRT. Their plans are not interchangeable."""

    RTX = "rtx"
    ENTERPRISE = "trt"

    @property
    def module(self) -> str:
        match self:
            case Flavour.RTX:
                return "tensorrt_rtx"
            case Flavour.ENTERPRISE:
                return "tensorrt"

    @property
    def install_line(self) -> str:
        match self:
            case Flavour.RTX:
                return install_line(Extra.TRT)
            case Flavour.ENTERPRISE:
                return "pip install tensorrt"

    @property
    def suffix(self) -> str:
        return f".{self}.plan"


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a plan; `shape` is NCHW, `dtype` as numpy spells it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    data: bytes
    flavour: Flavour
    version: str
    """Of the library that built it, which is the only one that surely reads it."""
    precision: Precision
    compute_capabilities: tuple[str, ...]
    """As asked for (`SM86`); empty where the choice was left to the library."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class PlanHeader:
    size_bytes: int
    version: str


class BadPlan(Exception):
    """These bytes are not a whole plan; the text says why."""


RTX_MAGIC = b"vtrt"


def read_header(data: bytes) -> PlanHeader:
    """The header of an RTX plan: magic, total size as u64 at byte 16, version as four bytes at 24.

    The layout is not documented; it was read from plans of tensorrt-rtx 1.7. Raises BadPlan.
    """
    if data[:4] != RTX_MAGIC:
        raise BadPlan(f"a plan of TensorRT for RTX begins with {RTX_MAGIC!r}, this begins with {data[:4]!r}")
    if len(data) < 32:
        raise BadPlan(f"it ends after {len(data)} bytes, within its header")
    size = int.from_bytes(data[16:24], "little")
    if size != len(data):
        raise BadPlan(f"its header says {size} bytes and it has {len(data)}")
    return PlanHeader(size, ".".join(str(part) for part in data[24:28]))


def check_plan(plan: Plan) -> None:
    """Raises BadPlan where the bytes do not agree with what is said of them.

    Of an enterprise plan only the presence is checked: its header is not documented.
    """
    if not plan.data:
        raise BadPlan("it is empty")
    if plan.flavour is Flavour.RTX and (found := read_header(plan.data).version) != plan.version:
        raise BadPlan(f"its header says version {found} and version {plan.version} built it")


def sidecar_bytes(plan: Plan) -> bytes:
    """The JSON that stands beside a plan, the same bytes for the same plan."""
    content = {
        "format_version": 1,
        "flavour": plan.flavour,
        "version": plan.version,
        "precision": plan.precision,
        "compute_capabilities": list(plan.compute_capabilities),
        "inputs": [_port(port) for port in plan.inputs],
        "outputs": [_port(port) for port in plan.outputs],
        "bytes": len(plan.data),
        "sha256": plan.sha256,
    }
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a plan's sidecar says that can be checked against the plan."""

    flavour: Flavour
    version: str
    sha256: str
    compute_capabilities: tuple[str, ...]
    inputs: Shapes
    """The images that the plan is for."""


class _Port(Schema):
    name: str
    dtype: str
    shape: tuple[Length, ...]


class _Input(_Port):
    shape: tuple[Length, Length, Length, Length]


class _File(Schema):
    format_version: VersionOne
    flavour: Flavour = Field(strict=False)
    version: str
    precision: Precision = Field(strict=False)
    compute_capabilities: tuple[str, ...]
    inputs: tuple[_Input, ...] = Field(min_length=1)
    outputs: tuple[_Port, ...]
    bytes: int = Field(ge=1)
    sha256: Sha256


def read_sidecar(data: bytes) -> Sidecar:
    """Raises BadPlan where the JSON is not one of ours."""
    try:
        said = parse(_File, data)
    except Unfit as error:
        raise BadPlan(f"its sidecar cannot be read: {error}") from None
    return Sidecar(
        said.flavour,
        said.version,
        said.sha256,
        said.compute_capabilities,
        {port.name: port.shape for port in said.inputs},
    )


def _port(port: Port) -> dict[str, str | list[int]]:
    return {"name": port.name, "dtype": port.dtype, "shape": list(port.shape)}
