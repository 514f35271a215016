"""`check` and tables: nothing is loaded for those that are not there, and a table is looked at for what uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from archdsl.cost.space_rows import rows_of_space
from archdsl.cost.tables import empty, table_bytes
from archdsl.pipeline import check, load
from tests.cost.invented import numbered

TEXT = """archdsl 1

use std

space net(c = 8) {
  in image: 3x32x64
  stem = image -> conv3x3(c, s = 2)
  out logits = stem -> {conv3x3, conv1x1} -> resize(2)
}

cost latency = table("device.json", unit = ms)

search found of net(c = 4) {
  relax = softmax(operator)
  arch = adam(lr = 3e-4)
  weights = sgd(lr = 0.01, batch = 16)
  epochs = 1
  objective = loss + 0.01 * log(latency)
}
"""

LOADED = """
import sys
from archdsl.pipeline import check
assert not check("net.arch").diagnostics
print([name for name in ("archdsl.cost", "pydantic", "networkx") if name in sys.modules])
"""


def written(folder: Path) -> Path:
    path = folder / "net.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path


def loaded_by_check(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_nothing_is_loaded_for_a_table_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert loaded_by_check(tmp_path) == "[]"
    rows = rows_of_space(load(str(path), overrides={"c": "4"}).program)
    (tmp_path / "device.json").write_bytes(table_bytes(numbered(rows)))
    assert loaded_by_check(tmp_path) == "['archdsl.cost', 'pydantic', 'networkx']"


def test_rows_are_those_of_the_space_with_the_parameters_of_the_search(tmp_path: Path) -> None:
    """And the command that is proposed lists exactly these."""
    path = written(tmp_path)
    rows = rows_of_space(load(str(path)).program)
    (tmp_path / "device.json").write_bytes(table_bytes(numbered(rows)))
    (found,) = check(str(path)).diagnostics
    assert found.code == "E0702"
    assert found.help is not None
    assert f"archdsl cost fill {path}:net --set c=4 --runtime RUNTIME -o {tmp_path / 'device.json'}" in found.help
    assert check(str(path), overrides={"c": "8"}).diagnostics == ()


def test_what_is_pointed_at_is_the_name_of_the_table(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "device.json").write_bytes(table_bytes(empty(())))
    (found,) = check(str(path)).diagnostics
    assert found.primary is not None
    assert found.primary.span.text == '"device.json"'
    assert len(check(str(path), size=(64, 64)).diagnostics) == 1
