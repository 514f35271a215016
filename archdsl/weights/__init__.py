"""The tensors of a closed graph as numpy arrays: which, at random, in files, with batch norm folded."""

from archdsl.weights.files import Weights, load, load_metadata, save, to_bytes
from archdsl.weights.fold import fold_batch_norm
from archdsl.weights.mismatch import Tensors, WeightsMismatch
from archdsl.weights.random import TooManyWeights, random_weights
from archdsl.weights.specification import specification
from archdsl.weights.stored import BrokenWeights, UnreadableWeights

__all__ = [
    "BrokenWeights",
    "Tensors",
    "TooManyWeights",
    "UnreadableWeights",
    "Weights",
    "WeightsMismatch",
    "fold_batch_norm",
    "load",
    "load_metadata",
    "random_weights",
    "save",
    "specification",
    "to_bytes",
]
