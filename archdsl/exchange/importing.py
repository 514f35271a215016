"""The formats that are read, and what is made of a file of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from archdsl.diagnostics import Severity
from archdsl.exchange.errors import NotImported
from archdsl.exchange.source import Source
from archdsl.extras import require_for
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.modules.library import library
from archdsl.sema.modules.load import BUILT_IN
from archdsl.session import check_source
from archdsl.syntax.grammar import tables
from archdsl.text import SourceFile

if TYPE_CHECKING:
    from archdsl.weights import Tensors


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for beside the file."""

    source: Source
    name: str
    """Of the item that is written; empty for one that the file says, or its format."""
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    """Parameters of the space or the network, as a command line gives them."""
    scale: str = ""
    """Of a file that has several scales."""

    def named(self, otherwise: str) -> str:
        """The item's name: as it was asked for, as the item or the file is called, else `otherwise`."""
        return self.name or next(
            (each for each in (self.source.item, self.source.stem) if each and is_free(each)), otherwise
        )


def is_free(name: str) -> bool:
    """Whether an item can have a name: a word that neither the language nor a packaged space has taken."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in tables().lexicon.keywords:
        return False
    return name not in PRIMITIVES.reserved and name not in BUILT_IN and library(name) is None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of a file: a text that checks, and tensors where the file has some."""

    name: str
    text: str
    tensors: Tensors | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that is read."""

    summary: str
    read: Callable[[Request], Imported]
    """Raises NotImported, ToolMissing, OSError."""
    recognises: Callable[[Source], bool]
    """Whether a file is certainly of this format."""


_MODULES: Final = {
    "nasbench201": "an architecture string of NAS-Bench-201",
    "darts": "a genotype of DARTS and its kin, as Python writes it",
    "ofa": "a network of once-for-all's MobileNetV3, as JSON",
    "fbnet": "a network of FBNet's space, as JSON",
    "auto_deeplab": "arrays of Auto-DeepLab, in a folder or one `.npz`",
    "fasterseg": "architecture logits of FasterSeg, as JSON or as its search saves them",
    "onnx": "an ONNX model of fixed size, with its weights",
    "ultralytics": "a YAML model of Ultralytics' YOLO11 or YOLO26",
}

_BY_SUFFIX: Final[Mapping[str, tuple[str, ...]]] = {"onnx": (".onnx",), "ultralytics": (".yaml", ".yml")}
"""Formats whose readers need more than Python: a file is recognised without them."""


def _importer(name: str, summary: str) -> Importer:
    """A module is imported when its format is asked for."""

    def read(request: Request) -> Imported:
        for suffix in _BY_SUFFIX.get(name, ())[:1]:
            require_for(f"import FILE{suffix}")
        return import_module(f"archdsl.exchange.{name}").read(request)

    def recognises(source: Source) -> bool:
        if name in _BY_SUFFIX:
            return source.suffix in _BY_SUFFIX[name]
        return import_module(f"archdsl.exchange.{name}").recognises(source)

    return Importer(summary, read, recognises)


IMPORTERS: Final[Mapping[str, Importer]] = MappingProxyType(
    {name: _importer(name, summary) for name, summary in _MODULES.items()}
)
"""By the names that a command line gives them."""


def kind_of(source: Source) -> str:
    """The one format that a file is certainly of. Raises NotImported where it is of none, or of several."""
    certain = [name for name, suffixes in _BY_SUFFIX.items() if source.suffix in suffixes]
    found = certain or [name for name, importer in IMPORTERS.items() if importer.recognises(source)]
    if len(found) == 1:
        return found[0]
    raise source.unfit(f"what it is cannot be told for certain: name it, one of {', '.join(IMPORTERS)}")


def imported(kind: str, request: Request) -> Imported:
    """The text that a file of a format stands for; it has been checked.

    Raises NotImported, ToolMissing, OSError.
    """
    found = IMPORTERS[kind].read(request)
    checked = check_source(SourceFile("<imported>", found.text), path=Path("imported.arch").absolute())
    errors = [each for each in checked.diagnostics if each.severity is Severity.ERROR]
    if errors:
        raise NotImported(f"what `{request.source.file}` says is no network: {errors[0].message} ({errors[0].code})")
    return found
