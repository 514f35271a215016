"""The supernet of a stage: made, and given the weights of the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from archdsl.nets.supernet import Supernet
from archdsl.nets.supernet.initial import initialise
from archdsl.pipeline import NotLoaded
from archdsl.relax.checkpoints import Budget
from archdsl.relax.lower import NotRelaxable
from archdsl.relax.plan import keeping, planned, unplanned
from archdsl.search.run.setup import Pretraining, SearchSetup, Stage
from archdsl.train.distributed import batch_norm_over_processes, world_size
from archdsl.weights.files import save

SUPERNET = "supernet.safetensors"
"""The weights of the last supernet, in the folder of a run."""


def supernet_of(setup: SearchSetup, stage: Stage | Pretraining, device: torch.device) -> Supernet:
    """With random weights, by the seed of the search. Raises NotLoaded, NotEnoughMemory."""
    together = world_size() > 1
    budget = None  # what waits while a network is pretrained takes no step
    if setup.memory_bytes is not None and isinstance(stage, Stage):
        budget = Budget(setup.memory_bytes, max(phase.weights.batch for phase in stage.phases))
    plan = unplanned if together else keeping if setup.keep_maps else planned
    try:
        made = (
            Supernet(stage.program, plan=plan, memory=budget, batch_norm=batch_norm_over_processes)
            if together
            else Supernet(stage.program, plan=plan, memory=budget)
        )
    except NotRelaxable as found:
        raise NotLoaded([found.diagnostic(stage.program)]) from None
    initialise(made, setup.seed)
    made.accumulate_in_slices()
    return made.to(device)


def inherit(supernet: Supernet, before: Mapping[str, Tensor]) -> int:
    """Takes tensors of the same name and shape from another supernet; how many they are."""
    own = supernet.state_dict()
    fitting = {name: each for name, each in before.items() if name in own and own[name].shape == each.shape}
    with torch.no_grad():
        for name, each in fitting.items():
            own[name].copy_(each)
    return len(fitting)


def write_supernet(supernet: Supernet, folder: Path) -> None:
    save(
        folder / SUPERNET, {name: each.detach().cpu().contiguous() for name, each in supernet.state_dict().items()}, {}
    )
