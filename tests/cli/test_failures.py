"""Expected exceptions are named by module and name, so that none has to be imported: each of them is there."""

from __future__ import annotations

from importlib import import_module

import pytest

from archdsl.cli.failures import KNOWN, explain


@pytest.mark.parametrize(("module", "name", "code"), KNOWN, ids=[f"{module}:{name}" for module, name, _ in KNOWN])
def test_an_expected_exception_is_where_it_is_looked_for(module: str, name: str, code: int) -> None:
    kind = getattr(import_module(module), name)
    assert issubclass(kind, Exception)
    assert kind.__module__ == module
    assert code != 70


def test_what_is_not_expected_is_not_explained() -> None:
    assert explain(RuntimeError("a defect")) is None
