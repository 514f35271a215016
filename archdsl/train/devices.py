"""Where a training runs: one device, or those that `torchrun` started processes for."""

from __future__ import annotations

import os
from typing import Any, cast

import torch
from lightning_fabric import Fabric

from archdsl.train.refused import Refused

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fabric_of(device: str, precision: str) -> Fabric:
    """Launched. `device` is `auto`, `cpu` or `cuda`. Raises Refused where it is not there."""
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise Refused("there is no CUDA device that this torch can use: take `--device cpu`")
    accelerator = "cuda" if cuda and device != "cpu" else "cpu"
    if precision == "fp16" and accelerator == "cpu":
        raise Refused("fp16 needs a CUDA device: take `--precision bf16` or `fp32`")
    processes, here = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=accelerator,
        strategy="ddp" if processes > 1 else "auto",
        devices=here if processes > 1 else 1,
        num_nodes=processes // here,
        precision=cast("Any", _PRECISIONS[precision]),
    )
    fabric.launch()
    return fabric
