"""One process of several that measure the eigenvalue of a joined batch; started by `torchrun`, or alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

import archdsl
from archdsl.nets.supernet import Supernet
from archdsl.relax.phases import questions_of
from archdsl.relax.plan import unplanned
from archdsl.search.robustness.eigenvalue import eigenvalue_of
from archdsl.train.distributed import batch_norm_over_processes, fabric_of, rank, world_size
from tests.search.robustness.test_eigenvalue import SOFT, filled, loss_of


def main(text: Path) -> None:
    torch.set_num_threads(1)
    fabric_of("cpu", "fp32")
    program = archdsl.load(text).space
    net = filled(Supernet(program, plan=unplanned, batch_norm=batch_norm_over_processes)).train()
    logits = net.logits(questions_of(program, SOFT), scale=1.0, seed=3)
    mine = slice(rank(), None, world_size())
    found = eigenvalue_of(net, net.relaxation(logits), loss_of(net, torch.float32, mine))
    text.with_name(f"rank{rank()}of{world_size()}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
