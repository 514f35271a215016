"""Scenes of the drawn streets as image files, for `archdsl predict` to look at. Called by `demo.sh`."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from archdsl.data import open_data
from archdsl.data.sheet import picked


def main() -> None:
    """Writes NAME.png of each scene: those that `archdsl data show streets --split val` draws with their labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True, help="a folder")
    parser.add_argument("--size", default="192x384", help="height and width")
    parser.add_argument("--count", type=int, default=3)
    given = parser.parse_args()
    height, width = map(int, given.size.split("x"))
    val = open_data("streets", size=(height, width)).splits["val"]
    given.out.mkdir(parents=True, exist_ok=True)
    for name, example in picked(val, given.count):
        Image.fromarray(example.image).save(given.out / f"{name}.png")


if __name__ == "__main__":
    main()
