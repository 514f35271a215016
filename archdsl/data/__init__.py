"""Datasets: read, checked, drawn, held in memory, put into batches. Knows nothing of networks."""

from archdsl.data.batches import Batches
from archdsl.data.held import Held, hold
from archdsl.data.model import Classes, Data, Example, Split
from archdsl.data.opening import open_data
from archdsl.data.problems import BadData
from archdsl.data.subsets import split_indices

__all__ = ["BadData", "Batches", "Classes", "Data", "Example", "Held", "Split", "hold", "open_data", "split_indices"]
