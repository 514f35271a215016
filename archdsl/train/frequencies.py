"""How often classes occur, and what they weigh for it."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from archdsl.train.losses import IGNORE


def median_frequency(labels_NHW: Iterable[Tensor], classes: int) -> Tensor:
    """median(f) / f for each class, f = its pixels / the labelled pixels of the images that hold it; 1 for one in none.

    Eigen and Fergus (ICCV 2015), as SegNet uses it; here unlabelled pixels do not count.
    """
    pixels, where = torch.zeros(classes, dtype=torch.double), torch.zeros(classes, dtype=torch.double)
    for labels_HW in labels_NHW:
        counts = torch.bincount(labels_HW[labels_HW != IGNORE].long().flatten(), minlength=classes).double()
        pixels += counts
        where += (counts > 0) * counts.sum()
    share = pixels / where.clamp(min=1)
    found = share[share > 0]
    if not len(found):
        return torch.ones(classes)
    middle = found.quantile(0.5)
    return torch.where(share > 0, middle / share.clamp(min=1e-12), torch.ones(())).float()
