"""Networks of once-for-all and FBNet as JSON: published ones, and hostile files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archdsl.exchange import NotImported
from tests.exchange.files import counted, loaded, read, written

OFA = (
    {
        "ks": [7, 7, 3, 3, 3, 7, 7, 3, 5, 7, 5, 5, 5, 3, 3, 7, 7, 7, 3, 3],
        "e": [3, 4, 4, 6, 6, 4, 4, 4, 3, 3, 4, 3, 3, 4, 4, 4, 6, 6, 4, 6],
        "d": [2, 2, 3, 2, 2],
    },
    {
        "ks": [5, 7, 3, 3, 7, 7, 7, 3, 5, 7, 3, 3, 5, 3, 7, 7, 5, 5, 5, 5],
        "e": [4, 6, 4, 3, 4, 6, 6, 6, 3, 6, 6, 6, 4, 6, 4, 4, 4, 6, 4, 6],
        "d": [4, 2, 2, 3, 4],
        "r": [224],
        "wid": None,
    },
    {
        "ks": [3, 3, 3, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
        "e": [6, 6, 6, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6],
        "d": [3, 4, 4, 4, 4],
    },
)
FBNET = {
    "fbnet_a": "skip k3e3 k3e1 skip skip k5e6 k3e3 k5e1 k3e3 k5e6 k5e3 "
    "k5s2 k5e6 k3e6 k5s2 k5e1 k3s2 k5e6 k5e6 k5e3 k5e6 k5e6",
    "fbnet_b": "k3e1 k3e6 k5e1 k3e1 k3e1 k5e6 k5e3 k3e6 k5e6 k5e6 k5e1 "
    "skip k5e3 k5e6 k3e1 k5e1 k5e3 k5e6 k5e1 k5e6 k5e6 k3e6",
    "fbnet_c": "k3e1 k3e6 skip k3e1 k3e1 k5e6 k5e3 k5e6 k3e6 k5e6 k5e3 "
    "k5e6 k5e6 k5e6 k5e6 k5e6 k5e3 k5e6 k5e6 k5e6 k5e6 k3e6",
}
"""The published table of models: a block for each layer."""
STAGES = [(16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1)]


def blocks(name: str) -> list[str]:
    return [each if each == "skip" else f"ir_{each[:2]}_{each[2:]}" for each in FBNET[name].split()]


def table() -> dict[str, object]:
    cfg = {"first": [16, 2], "stages": [[[6, c, n, s]] for c, n, s in STAGES]}
    return {name: {"block_op_type": [[each] for each in blocks(name)], "block_cfg": cfg} for name in FBNET}


@pytest.mark.parametrize("active", OFA, ids=["shallow", "deep", "removed block"])
def test_networks_of_once_for_all_have_the_blocks_of_the_file(active: dict[str, list[int]], tmp_path: Path) -> None:
    found = loaded(read(written(tmp_path / "net.json", json.dumps(active))), tmp_path)
    answers = {str(path): answer for path, (answer,) in found.meaning.answers.items()}
    assert [answers[f"s{stage}.exit"] for stage in range(1, 6)] == [str(each) for each in active["d"]]
    for stage, depth in enumerate(active["d"], start=1):
        for block in range(1, depth + 1):
            at = 4 * (stage - 1) + block - 1
            assert answers[f"s{stage}[{block}].k"] == str(active["ks"][at])
            assert answers[f"s{stage}[{block}].expand"] == str(active["e"][at])
    assert len(answers) == 5 + 2 * sum(active["d"])


def weights_of(names: list[str]) -> int:
    """Counted from the names alone: expansion, depthwise conv and projection of each block, each with its norm."""
    count, width = 27 * 16 + 2 * 16, 16
    for name, channels in zip(names, [c for c, n, _ in STAGES for _ in range(n)], strict=True):
        if name == "skip":
            count += 0 if channels == width else width * channels + 2 * channels
        else:
            k, groups = int(name[4]), 2 if name.endswith("s2") else 1
            inner = width * (1 if groups == 2 else int(name[-1]))
            count += (width * inner + inner * channels) // groups + (4 + k * k) * inner + 2 * channels
        width = channels
    return count + 352 * 1984 + 2 * 1984 + 1985 * 1000


@pytest.mark.parametrize("name", FBNET)
def test_networks_of_fbnet_have_the_weights_of_their_blocks(name: str, tmp_path: Path) -> None:
    of_list = read(written(tmp_path / f"{name}.json", json.dumps(blocks(name))))
    of_table = read(written(tmp_path / "table.json", json.dumps(table())), item=name)
    assert of_list.text == of_table.text
    assert counted(of_list, tmp_path).params == weights_of(blocks(name))


LARGEST = {"ks": [7] * 20, "e": [6] * 20, "d": [4] * 5}


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("ofa", "{", "no JSON"),
        (
            "ofa",
            json.dumps({**LARGEST, "ks": [7] * 21}),
            "`ks`: it has 21 numbers, and MobileNetV3's space has 20: 21 are",
        ),
        ("ofa", json.dumps({**LARGEST, "ks": [9] * 20}), r"`ks\[0\]`: 9 is none of 3, 5, 7"),
        ("ofa", json.dumps({**LARGEST, "d": [4, 4, 4, 4, 5]}), r"`d\[4\]`: 5 is none of 2, 3, 4"),
        ("ofa", json.dumps({**LARGEST, "wid": 1.2}), "`wid`: the network is 1.2 times as wide"),
        ("ofa", json.dumps({**LARGEST, "x": 1}), "`x`"),
        ("ofa", json.dumps({**LARGEST, "e": ["6"] * 20}), "`e"),
        ("ofa", '{"ks": [NaN], "e": [], "d": []}', "."),
        ("ofa", '{"d": ' + "[" * 100_000 + "]" * 100_000 + "}", "."),
        ("fbnet", "[", "no JSON"),
        ("fbnet", "[" * 100_000, "no JSON"),
        ("fbnet", "{}", "it has no blocks"),
        ("fbnet", json.dumps(["skip"] * 21), "it has 21 blocks, and FBNet's space has 22 layers"),
        ("fbnet", json.dumps([[["skip"]]] * 22), "is no block of FBNet's space"),
        ("fbnet", json.dumps(["ir_k7_e6"] * 22), "`block 1`: `ir_k7_e6` is no block of FBNet's space"),
        ("fbnet", json.dumps(table()), "it has 3 networks: name one"),
        (
            "fbnet",
            json.dumps({"block_op_type": ["skip"] * 22, "block_cfg": {"stages": [[[1, 16, 1, 1]], [[6, 32, 4, 2]]]}}),
            "layer 2`: 32 channels and stride 2, and FBNet's space has 24 and 2 there",
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_its_field(kind: str, data: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "net.json", data), kind)
