"""FasterSeg's published logits, as JSON and as its search saves them, become its published networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from archdsl.exchange import NotImported
from archdsl.pipeline import load
from tests.exchange.files import loaded, read, written
from tests.published_logits import PUBLISHED

LOGITS: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("who", ["student", "teacher"])
@pytest.mark.parametrize("form", ["by name", "alone", "torch"])
def test_published_logits_become_the_published_network(who: str, form: str, tmp_path: Path) -> None:
    match form:
        case "by name":
            found = read(PUBLISHED, item=who)
        case "alone":
            found = read(written(tmp_path / f"{who}.json", json.dumps(LOGITS[who])))
        case _:
            number = {"teacher": 0, "student": 1}[who]
            state: dict[str, object] = {"mIoU02": 0.5}
            for name, rows in LOGITS[who].items():
                kind, scale = name.split("_")
                state[f"{kind}_{number}_{scale}"] = torch.nn.Parameter(torch.tensor(rows))
            torch.save(state, tmp_path / f"arch_{number}.pt")
            found = read(tmp_path / f"arch_{number}.pt")
    published = load(f"spaces/genotypes/fasterseg_{who}.arch")
    assert loaded(found, tmp_path).meaning.answers == published.meaning.answers


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"alpha_1": []}, "`alpha_1`: it is a list of rows"),
        ({"alpha_1": [[0.0] * 5]}, "`alpha_1`: it has 1 rows, and row 1 is needed"),
        ({"beta_1": [[0.0] * 3] * 20}, r"`beta_1\[0\]`: it has 3 numbers, and 2 are needed"),
        ({"ratio_0": [[1e999]] * 20}, "`ratio_0`: it is a list of rows of finite numbers"),
    ],
)
def test_what_does_not_fit_is_said_with_its_row(changed: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "a.json", json.dumps({**LOGITS["student"], **changed})), "fasterseg")


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "arch_1.pt")
    with pytest.raises(NotImported, match="no `alpha_0_0` and no `alpha_1_0`"):
        read(tmp_path / "arch_1.pt", "fasterseg")
    with pytest.raises(NotImported, match="name the network"):
        read(PUBLISHED, "fasterseg")
