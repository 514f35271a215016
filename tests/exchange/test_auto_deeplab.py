"""Auto-DeepLab's arrays: the published cell and path, decoding against all paths, and hostile arrays."""

from __future__ import annotations

import itertools
import struct
from math import exp, prod
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from archdsl.exchange import NotImported
from archdsl.exchange.npy import UnreadableArray, read_npy
from tests.exchange.files import loaded, read, written

CELL = [[0, 7], [1, 4], [2, 4], [3, 6], [5, 4], [8, 4], [11, 5], [13, 5], [19, 7], [18, 5]]
"""As the PyTorch code has it; its last edge reads node 3, where the authors' own code reads node 2."""
PATHS = {
    "paper": [0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1],
    "first": [0, 1, 2, 3, 2, 2, 1, 0, 1, 2, 3, 2],
    "second": [0, 1, 2, 2, 3, 2, 2, 1, 2, 1, 1, 2],
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("form", ["path", "space"])
def test_published_paths_and_cells(name: str, form: str, tmp_path: Path) -> None:
    path = PATHS[name]
    np.save(tmp_path / "genotype.npy", np.array(CELL, dtype="uint8"))
    if form == "path":
        np.save(tmp_path / "network_path.npy", np.array(path))
    else:
        space = np.zeros((12, 4, 3), order="F")
        for layer, (before, level) in enumerate(itertools.pairwise([0, *path])):
            space[layer, level, 1 - (level - before)] = 1
        np.save(tmp_path / "network_path_space.npy", space)
    found = loaded(read(tmp_path), tmp_path)
    places = [(4, 8, 16, 32)[level] for level in path]
    answers = {str(question): answer for question, answer in found.meaning.answers.items()}
    assert answers["way"] == (str(places[-1]),)
    for layer in range(3, 13):
        asked = f"way.net[{layer}][{places[layer - 1]}].source"
        assert answers.get(asked) in ((f"net[{layer - 1}][{places[layer - 2]}]",), None)
        assert (asked in answers) == (places[layer - 1] < 4 * 2 ** (layer - 1))  # else it reads the only one there is
    assert answers["searchable.x5.keep"] == ("x3", "x4")
    assert answers["searchable.x5.x3"] == ("sep_x2(k = 5)",)
    assert found.network()


FREE = 6
"""So many layers choose; the others stay where they are, so that all paths can be listed."""


def likeliest(betas: NDArray[np.float64]) -> list[int]:
    """The path of the largest product of all paths."""

    def chance(layer: int, before: int, after: int) -> float:
        ends = [end for end in (before - 1, before, before + 1) if 0 <= end < 4]
        shares = {end: exp(betas[layer, before, 1 + end - before]) for end in ends}
        return shares.get(after, 0.0) / sum(shares.values())

    def product(path: tuple[int, ...]) -> float:
        return prod(chance(layer, *step) for layer, step in enumerate(itertools.pairwise(path), start=1))

    best = max(((0, *rest) for rest in itertools.product(range(4), repeat=FREE - 1)), key=product)
    return [*best, *[best[-1]] * (12 - FREE)]


@pytest.mark.slow
def test_decoding_is_the_likeliest_of_all_paths(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for _ in range(3):
        betas = random.normal(size=(12, 4, 3))
        betas[FREE:] = [-20.0, 20.0, -20.0]
        np.savez(tmp_path / "found.npz", alphas=random.normal(size=(20, 8)), betas=betas)
        of_betas = loaded(read(tmp_path / "found.npz"), tmp_path).meaning.answers
        np.savez(tmp_path / "path.npz", genotype=np.array(CELL), network_path=np.array(likeliest(betas)))
        of_path = loaded(read(tmp_path / "path.npz"), tmp_path).meaning.answers
        ways = [
            {str(path): each for path, each in of.items() if str(path).startswith("way")} for of in (of_betas, of_path)
        ]
        assert ways[0] == ways[1]


def test_the_strongest_edges_are_kept_and_none_never(tmp_path: Path) -> None:
    alphas = np.zeros((20, 8))
    alphas[:, 0] = 9.0
    for edge, op in CELL:
        alphas[edge, op] = 10.0
    np.savez(tmp_path / "found.npz", alphas=alphas, betas=np.zeros((12, 4, 3)))
    answers = {str(path): each for path, each in loaded(read(tmp_path / "found.npz"), tmp_path).meaning.answers.items()}
    assert answers["searchable.x5.keep"] == ("x3", "x4")
    assert answers["searchable.x1.prev2"] == ("atrous(k = 5)",)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "f2", "i1", "<u2", ">i8", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_as_numpy_reads_them(dtype: str, order: str, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(0, 2, size=(3, 4, 2))
    array = np.array(numbers, dtype=np.dtype(dtype), order="F" if order == "F" else "C")
    np.save(tmp_path / "a.npy", array)
    found = read_npy((tmp_path / "a.npy").read_bytes())
    assert found.shape == (3, 4, 2)
    assert np.array_equal(np.array(found.numbers).reshape(found.shape), numbers)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "genotype.npy", np.array([object], dtype=object), allow_pickle=True)
    with pytest.raises(
        NotImported, match=r"genotype.npy` cannot be read as an array: its numbers are of the type `|O`"
    ):
        read(tmp_path)


def test_every_cut_and_every_changed_byte_is_read_or_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3), dtype="<f4"))
    data = (tmp_path / "a.npy").read_bytes()
    damaged = [data[:at] for at in range(len(data))]
    damaged += [data[:at] + bytes([other]) + data[at + 1 :] for at in range(128) for other in (0, 40, 57, 255)]
    damaged.append(b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF) + data[10:])
    refused = 0
    for each in damaged:
        try:
            read_npy(each)
        except UnreadableArray:
            refused += 1
    assert refused > len(data)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "it has none of them"),
        ({"alphas": np.zeros((20, 8))}, "it has `alphas`"),
        ({"alphas": np.zeros((14, 8)), "betas": np.zeros((12, 4, 3))}, "`alphas`: it is 14x8, and 20x8 is read"),
        ({"alphas": np.full((20, 8), np.nan), "betas": np.zeros((12, 4, 3))}, "`alphas`: it has NaN"),
        (
            {"genotype": np.array(CELL), "network_path": np.array([0, 2] + [2] * 10)},
            "layer 2 goes from resolution 0 to 2",
        ),
        ({"genotype": np.array(CELL), "network_path": np.full(12, 0.5)}, "a layer has one resolution"),
        ({"genotype": np.array([[0, 0], *CELL[1:]]), "network_path": np.zeros(12)}, r"`genotype\[0\]`: op 0 is `none`"),
        ({"genotype": np.array([[1, 4], *CELL[1:]]), "network_path": np.zeros(12)}, "node 1 has 2 edges"),
        ({"genotype": np.array([[-1, 4], *CELL[1:]]), "network_path": np.zeros(12)}, r"\(-1, 4\) is no edge"),
    ],
)
def test_what_does_not_fit_is_said_with_its_array(
    arrays: dict[str, NDArray[np.float64]], said: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "found.npz", **arrays)  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotImported, match=said):
        read(tmp_path / "found.npz", "auto_deeplab")


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImported, match="damaged"):
        read(written(tmp_path / "found.npz", b"PK\x03\x04 and no more"), "auto_deeplab")
