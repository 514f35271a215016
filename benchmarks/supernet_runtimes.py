"""A supernet under other ways to run it: `python -m benchmarks.supernet_runtimes`. One thread, CPU time, small images.

Steps that hold 55 % of the maps and compute others again, the other order of maps in memory, bf16 autocast with its
relative errors against fp32 (by norms over all outputs and over all gradients of weights), and growth with size.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.initial import initialise
from archdsl.relax.checkpoints import Budget
from archdsl.relax.estimate import estimate
from archdsl.relax.plan import Plan, planned, unplanned
from archdsl.relax.relaxed import RelaxedGraph
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.train.typed_torch import backward
from benchmarks.measure import ROOT, machine
from benchmarks.supernet import Launches

Overrides = dict[str, str | int | float]
SPACES: Final[dict[str, tuple[str, tuple[int, int], int, Overrides]]] = {
    "darts": ("spaces/darts.arch", (32, 32), 8, {"c": 16, "layers": 8}),
    "fasterseg": ("spaces/fasterseg.arch", (128, 256), 1, {}),
    "cas": ("spaces/cas.arch", (128, 256), 1, {}),
    "autortnet": ("spaces/autortnet.arch", (128, 256), 1, {}),
    "gas": ("spaces/gas.arch", (129, 257), 1, {}),
}
GROWTH: Final[dict[str, tuple[Overrides, ...]]] = {
    "layers": tuple({"c": 8, "layers": layers} for layers in (5, 8, 14)),
    "width": tuple({"c": width, "layers": 5} for width in (8, 16, 32)),
}
OPS: Final = (2, 4, 8)
"""How many candidates an edge has: those of DARTS's text, the first ones."""


def program_of(name: str) -> tuple[Program, int]:
    file, size, batch, overrides = SPACES[name]
    return archdsl.load(ROOT / file, size=size, overrides=overrides).space, batch


def net_of(
    program: Program, *, plan: Callable[[RelaxedGraph], Plan] = planned, memory: Budget | None = None
) -> Supernet:
    net = Supernet(program, plan=plan, memory=memory)
    initialise(net, 0)
    return net.train()


def asked(net: Supernet, *, scale: float = 1e-3) -> Decisions:
    """Everything mixed but widths, which are at their largest."""
    generator = torch.Generator().manual_seed(1)
    widths = {
        path: (max(net.answers(path), key=int),)
        for path, question in net.questions.items()
        if question.kind is QuestionKind.WIDTH
    }
    logits = {
        path: (scale * torch.randn(len(net.answers(path)), generator=generator)).requires_grad_()
        for path in net.questions
        if path not in widths
    }
    return Decisions(widths, {path: each.softmax(0) for path, each in logits.items()})


def images(net: Supernet, batch: int) -> Tensor:
    _, height, width = net.relaxer.everything.nodes[0].shape
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(2))


def run(net: Supernet, x_BCHW: Tensor, *, lower: bool = False) -> dict[str, Tensor]:
    """A forward and a backward pass; the outputs."""
    with torch.autocast("cpu", torch.bfloat16) if lower else nullcontext():
        outputs = net.outputs(x_BCHW, asked(net))
    backward(torch.stack([each.float().square().mean() for each in outputs.values()]).sum())
    return {name: each.detach().float() for name, each in outputs.items()}


def taken(works: Sequence[Callable[[], object]], steps: int) -> list[float]:
    """Median CPU seconds of each, in turns, after one that is not counted."""
    times: list[list[float]] = [[] for _ in works]
    for position in range(steps + 1):
        for work, mine in zip(works, times, strict=True):
            start = time.process_time()
            work()
            if position:
                mine.append(time.process_time() - start)
    return [statistics.median(each) for each in times]


def other_order(graph: RelaxedGraph) -> Plan:
    plan = planned(graph)
    return replace(plan, channels_last=not plan.channels_last)


def runtimes(names: Sequence[str], steps: int) -> None:
    print(
        "| space | maps lie | s | other order | 55 % of the maps | MACs on top | bf16 | its outputs | its gradients |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in names:
        print(line(name, steps), flush=True)


def line(name: str, steps: int) -> str:
    """Seconds of a step, ratios of the other ways to it, and relative errors of bf16."""
    program, batch = program_of(name)
    net = net_of(program)
    x_BCHW = images(net, batch)
    found = estimate(net.relaxer, batch=batch)
    budget = Budget(found.step_bytes - 45 * found.weights.maps_bytes // 100, batch)
    again, other = net_of(program, memory=budget), net_of(program, plan=other_order)
    whole, moved, recomputed, lower = taken(
        [
            lambda: run(net, x_BCHW),
            lambda: run(other, x_BCHW),
            lambda: run(again, x_BCHW),
            lambda: run(net, x_BCHW, lower=True),
        ],
        steps,
    )
    outputs, gradients = errors(net, x_BCHW)
    order = "channels last" if net.evaluation(asked(net).structure).plan.channels_last else "channels first"
    on_top = again.checkpoints.again_macs / found.weights.macs if again.checkpoints is not None else 0
    ratios = " | ".join(f"{each / whole:.2f}" for each in (moved, recomputed))
    return (
        f"| {name} | {order} | {whole:.2f} | {ratios} | {on_top:.1%} | {lower / whole:.2f} | {outputs:.3f} "
        f"| {gradients:.3f} |"
    )


def errors(net: Supernet, x_BCHW: Tensor) -> tuple[float, float]:
    """Relative errors of bf16, by norms over all outputs and over all gradients of weights."""
    found: list[tuple[Tensor, Tensor]] = []
    for lower in (False, True):
        net.zero_grad()
        outputs = run(net, x_BCHW, lower=lower)
        gradients = [each.grad.flatten() for each in net.parameters() if each.grad is not None]
        found.append((torch.cat([each.flatten() for each in outputs.values()]), torch.cat(gradients)))
    (outputs, gradients), (low_outputs, low_gradients) = found
    return relative(low_outputs, outputs), relative(low_gradients, gradients)


def relative(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).square().sum().sqrt() / wanted.square().sum().sqrt())


def growth(steps: int) -> None:
    print("| of DARTS | size | steps | launches, plain | launches, plan | GMACs | s | s a unit, ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    file, size, batch, _ = SPACES["darts"]
    for what, sizes in GROWTH.items():
        first = 0.0
        for overrides in sizes:
            program = archdsl.load(ROOT / file, size=size, overrides=overrides).space
            first = grown(what, int(overrides["c" if what == "width" else "layers"]), program, batch, steps, first, {})
    first = 0.0
    program = archdsl.load(ROOT / file, size=size, overrides=GROWTH["layers"][0]).space
    for count in OPS:
        allowed = {
            path: question.answers[:count]
            for path, question in program.questions.items()
            if question.kind is QuestionKind.OPERATOR
        }
        first = grown("ops of an edge", count, program, batch, steps, first, allowed)


def grown(
    what: str,
    size: int,
    program: Program,
    batch: int,
    steps: int,
    first: float,
    allowed: dict[QuestionPath, tuple[str, ...]],
) -> float:
    """Print a line; the seconds for each unit of the first size."""
    nets = {
        rule: Supernet(program, allowed=allowed or None, plan=plan)
        for rule, plan in {"plain": unplanned, "plan": planned}.items()
    }
    launches: dict[str, int] = {}
    for rule, net in nets.items():
        initialise(net, 0)
        net.train()
        x_BCHW = images(net, batch)
        run(net, x_BCHW)
        with Launches() as counted:
            run(net, x_BCHW)
        launches[rule] = counted.count
    net = nets["plan"]
    x_BCHW = images(net, batch)
    (seconds,) = taken([lambda: run(net, x_BCHW)], steps)
    count = len(net.evaluation(asked(net).structure).plan.steps)
    macs = estimate(net.relaxer, batch=batch).weights.macs / 1e9
    unit = seconds / size
    print(
        f"| {what} | {size} | {count} | {launches['plain']} | {launches['plan']} | {macs:.2f} | {seconds:.2f} "
        f"| {unit / (first or unit):.2f} |",
        flush=True,
    )
    return first or unit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spaces", nargs="*", default=list(SPACES), help="which, all by default")
    parser.add_argument("--steps", type=int, default=3, help="of each variant, after one that is not counted")
    parser.add_argument("--growth", action="store_true", help="how a step grows with layers, widths and candidates")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    if arguments.growth:
        growth(arguments.steps)
    else:
        runtimes(arguments.spaces, arguments.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
