"""A standalone file as a module, imported as anyone would."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType


def module_of(source: str) -> ModuleType:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "standalone.py"
        file.write_text(source)
        spec = spec_from_file_location("standalone", file)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
