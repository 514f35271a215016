"""A run's best weights as a file to keep: half precision, for inference alone. Called by `train.sh`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import archdsl
from archdsl.weights import load
from archdsl.weights.files import load_metadata, save


def main() -> None:
    """Leaves out what only auxiliary outputs need; keeps the names of the classes and the preprocessing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", help="of the network")
    parser.add_argument("weights", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    tensors = load(given.weights, archdsl.load(given.text).network()).tensors
    metadata = load_metadata(given.weights)
    kept = {name: metadata[name] for name in ("class_names", "mean", "std")}
    save(given.out, {name: tensor.astype(np.float16) for name, tensor in tensors.items()}, kept)
    print(f"{given.out}: {len(tensors)} tensors, {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
