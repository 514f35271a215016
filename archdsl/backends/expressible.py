"""Primitives for which a target has no form: found before anything is built, shown where they stand."""

from __future__ import annotations

from typing import Final

from archdsl.backends.protocol import Backend
from archdsl.diagnostics import Diagnostic, Label
from archdsl.ir import ClosedGraph, for_inference
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Program

NO_FORM: Final = "E0801"


def inexpressible(graph: ClosedGraph, backend: Backend) -> tuple[str, ...]:
    """Primitives of a network, each once, for which a back end has no form."""
    compiled = graph if backend.auxiliary else for_inference(graph)
    names = dict.fromkeys(payload.primitive for _, payload in compiled.with_payload(Apply))
    return tuple(name for name in names if not backend.expresses(PRIMITIVES[name]))


def no_form(program: Program, backend: Backend, name: str) -> Diagnostic:
    """That a target has no form for a primitive, at the first place where the text uses it."""
    package = PRIMITIVES[name].package
    spans = (node.span for node in program.nodes if isinstance(node.payload, Apply) and node.payload.primitive == name)
    span = next((span for span in spans if span is not None), None)
    return Diagnostic(
        NO_FORM,
        f"the target `{backend.name}` has no form for the primitive `{name}`",
        None if span is None else Label(span, f"from the package `{package}`" if package else "used here"),
        help=f'compile to another target, or add `"{backend.name}"` to the `forms` of `{name}`',
    )
