"""Functions that stand in a standalone file where the network calls them: what no call of torch says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

MEAN_POOL: Final = "mean_pool"
SAME_PAD: Final = "same_pad"

HELPERS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        MEAN_POOL: (
            "def mean_pool(x: Tensor, inside: Tensor, size: tuple[int, int], stride: tuple[int, int]) -> Tensor:",
            '    """Means of the windows of a padded map, by the part that `inside` says to be no padding."""',
            "    return F.avg_pool2d(x, size, stride) / F.avg_pool2d(inside, size, stride)",
        ),
        SAME_PAD: (
            "def same_pad(x: Tensor, extent: tuple[int, int], stride: tuple[int, int], value: float = 0.0) -> Tensor:",
            '    """A map padded as TensorFlow\'s "same" does for windows of this extent: ceil(n / stride) of them."""',
            "    rows = max(extent[0] - 1 - (x.shape[-2] - 1) % stride[0], 0)",
            "    columns = max(extent[1] - 1 - (x.shape[-1] - 1) % stride[1], 0)",
            "    around = [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]",
            "    return F.pad(x, around, value=value)",
        ),
    }
)
"""The lines of each by its name."""
