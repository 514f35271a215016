"""The formats that texts are written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from archdsl.exchange.answered import Answered
from archdsl.exchange.errors import NotExported

if TYPE_CHECKING:
    from archdsl.pipeline import Loaded
    from archdsl.space import Program

_MODULES: Final = ("darts", "nasbench201")


def _exporter(name: str) -> Callable[[Program, Answered], str]:
    def write(program: Program, answers: Answered) -> str:
        return import_module(f"archdsl.exchange.{name}").write(program, answers)

    return write


EXPORTERS: Final[Mapping[str, Callable[[Program, Answered], str]]] = MappingProxyType(
    {name: _exporter(name) for name in _MODULES}
)


def exported(kind: str, loaded: Loaded) -> str:
    """A genotype in the words of a format. Raises NotExported."""
    if not loaded.is_genotype:
        raise NotExported(f"`{loaded.name}` is no genotype: {kind} writes down answers; name a genotype")
    answers = loaded.meaning.answers
    return EXPORTERS[kind](loaded.program, Answered(loaded.name, loaded.program, answers))
