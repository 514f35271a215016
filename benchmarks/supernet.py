"""What a supernet costs, by its plan and otherwise: `python -m benchmarks.supernet`. One thread, CPU time, fp32.

Each variant runs in a process of its own, and the variants of a comparison take turns, a step each. A step is a
forward and a backward pass of DARTS's supernet, or an iteration of FasterSeg's search: a weight step and an
architecture step. Peak memory is the largest resident set of the process in a run of its own, and what of it came
after the supernet was built.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

import archdsl
from archdsl.nets.supernet import Decisions, Logits, Supernet
from archdsl.nets.supernet.initial import initialise
from archdsl.nets.supernet.relaxation import PhaseRelaxation
from archdsl.pipeline import check
from archdsl.relax.phases import questions_in, questions_of
from archdsl.relax.plan import planned, unplanned
from archdsl.settings.relaxations import Method, Relaxation
from archdsl.settings.schedules import Moment
from archdsl.settings.searches import Phase, Search
from archdsl.space import QuestionKind
from archdsl.train.typed_torch import backward
from benchmarks.measure import ROOT, machine
from benchmarks.published_supernets import PublishedDarts, PublishedFasterSeg

DARTS: Final = ("spaces/darts.arch", (32, 32), 16)
FASTERSEG: Final = ("spaces/fasterseg.arch", (128, 256), 2)
OTHERS: Final = {
    "cas": ("spaces/cas.arch", (128, 256), 2),
    "autortnet": ("spaces/autortnet.arch", (128, 256), 2),
    "gas": ("spaces/gas.arch", (129, 257), 2),
}
START: Final = Moment(0.0, 0, 0)
SOFT: Final = (QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.EXIT)
RULES: Final = {"plan": planned, "plain": unplanned}

_NO_LAUNCH: Final = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "detach", "_unsafe_view"})

Work = Callable[[], None]


def darts(variant: str, layers: int = 8, channels: int = 16) -> Work:
    """A forward and a backward pass, gradients of weights and logits."""
    file, size, batch = DARTS
    x_BCHW, labels_B = torch.randn(batch, 3, *size), torch.randint(0, 10, (batch,))
    if variant == "published":
        published = PublishedDarts(channels, layers)
        return lambda: backward(functional.cross_entropy(published(x_BCHW), labels_B))
    overrides = {"c": channels, "layers": layers}
    program = archdsl.load(ROOT / file, size=size, overrides=overrides).space
    net = Supernet(program, plan=RULES[variant])
    initialise(net, 0)
    net.train()
    questions = questions_of(program, [Relaxation(Method.SOFTMAX, (QuestionKind.OPERATOR,), also_none=True)])
    relaxation = PhaseRelaxation(questions, Logits(questions))

    def step() -> None:
        scores = net(x_BCHW, relaxation.decide(START))
        backward(functional.cross_entropy(scores.flatten(1), labels_B))

    return step


def dense(name: str, variant: str) -> Work:
    """A forward and a backward pass of a space for segmentation, all its questions soft, widths sampled."""
    file, size, batch = OTHERS[name]
    program = archdsl.load(ROOT / file, size=size).space
    net = Supernet(program, plan=RULES[variant])
    initialise(net, 0)
    net.train()
    questions = questions_of(program, [Relaxation(Method.SOFTMAX, SOFT)])
    relaxation = PhaseRelaxation(questions, Logits(questions))
    x_BCHW = torch.randn(batch, 3, *size)

    def step() -> None:
        outputs = net.outputs(x_BCHW, relaxation.decide(START))
        backward(torch.stack([each.square().mean() for each in outputs.values()]).sum())

    return step


def fasterseg(variant: str, layers: int = 16) -> Work:
    """An iteration of the search: a weight step and an architecture step, on one batch each.

    As published: a sampled pass for each of two sets of logits, the largest and the smallest widths, in both steps,
    and gradients of all parameters in both. Ours: the weight step at the largest, the smallest and the sampled widths,
    the architecture step at the sampled ones, each with the gradients that its optimizer reads. The loss is the sum of
    cross-entropies over five heads.
    """
    file, size, batch = FASTERSEG
    x_BCHW, labels_BHW = torch.randn(batch, 3, *size), torch.randint(0, 19, (batch, *size))

    def loss(outputs: list[Tensor]) -> Tensor:
        return torch.stack([functional.cross_entropy(each, labels_BHW) for each in outputs]).sum()

    if variant == "published":
        published = PublishedFasterSeg(layers)

        def as_published() -> None:
            for _ in range(2):
                for mode in ("sampled", "sampled", "largest", "smallest"):
                    backward(loss(published(x_BCHW, mode)))

        return as_published
    program = archdsl.load(ROOT / file, size=size, overrides={"layers": layers}).space
    net = Supernet(program, plan=RULES[variant])
    if variant == "plan":
        net.accumulate_in_slices()
    initialise(net, 0)
    net.train()
    questions = questions_in(_student(), program, {})
    relaxation = PhaseRelaxation(questions, Logits(questions))
    random = Random(0)

    def main(decisions: Decisions) -> list[Tensor]:
        found: Tensor | dict[str, Tensor] = net(x_BCHW, decisions)
        return list(found.values()) if isinstance(found, dict) else [found]

    def step() -> None:
        with torch.no_grad():
            decisions = relaxation.decide(START)
        for _, each in relaxation.passes(decisions, random):
            backward(loss(main(each.constant())))
        net.requires_grad_(False)
        backward(loss(main(relaxation.decide(START))))
        net.requires_grad_(True)

    return step


def _student() -> Phase:
    """The phase of FasterSeg's search that finds the network, after pretraining."""
    checked = check(str(ROOT / FASTERSEG[0]))
    (search,) = (each for each in checked.recipes if isinstance(each, Search))
    return next(phase for phase in search.phases if phase.name == "student")


# Measuring ----------------------------------------------------------------------------------------


def work(name: str, variant: str) -> Work:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    match name:
        case "darts":
            return darts(variant)
        case "fasterseg":
            return fasterseg(variant)
        case _:
            return dense(name, variant)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class Launches(TorchDispatchMode):
    """Counts what a GPU would start a kernel for: operations that write a tensor, views and allocations apart."""

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in _NO_LAUNCH and not func.is_view:
            self.count += 1
        return made


def serve(name: str, variant: str) -> None:
    """Answers each line that is asked with the CPU seconds of a step; says at last how much memory it took."""
    torch.set_num_threads(1)
    gc.set_threshold(100_000, 20, 20)  # as the commands have it
    step = work(name, variant)
    before = resident_mb()
    for line in sys.stdin:
        match line.strip():
            case "step":
                start = time.process_time()
                step()
                answer: float = time.process_time() - start
            case "launches":
                with Launches() as launches:
                    step()
                answer = launches.count
            case "peak":
                answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            case _:
                answer = before
        print(answer, flush=True)


class Server:
    """A variant in a process of its own."""

    def __init__(self, name: str, variant: str) -> None:
        command = [sys.executable, "-m", "benchmarks.supernet", "--serve", name, variant]
        # Maps are kept by the process: given back to the system, they are faulted in again with each use.
        kept = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **kept}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, what: str) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(what, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compared(name: str, variants: Sequence[str], steps: int) -> dict[str, tuple[float, float, float, int]]:
    """Of each variant the median CPU seconds of a step, peak memory in MB, that before the first step, and launches."""
    servers = {variant: Server(name, variant) for variant in variants}
    before = {variant: server.ask("resident") for variant, server in servers.items()}
    times: dict[str, list[float]] = {variant: [] for variant in variants}
    for position in range(steps + 1):
        for variant, server in servers.items():
            taken = server.ask("step")
            times[variant] += [taken] if position else []  # the first step plans and fills caches
    peaks = {variant: server.ask("peak") for variant, server in servers.items()}
    launches = {variant: int(server.ask("launches")) for variant, server in servers.items()}
    for server in servers.values():
        server.close()
    return {
        variant: (statistics.median(times[variant]), peaks[variant], before[variant], launches[variant])
        for variant in variants
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spaces", nargs="*", default=["darts", "fasterseg", *OTHERS], help="which, all by default")
    parser.add_argument("--steps", type=int, default=5, help="of each variant, after one that is not counted")
    parser.add_argument("--serve", nargs=2, metavar=("SPACE", "VARIANT"), help=argparse.SUPPRESS)
    parser.add_argument("--variants", nargs="*", help="which of published, plain and plan")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(*arguments.serve)
        return 0
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print("| space | variant | CPU s | ratio | peak MB | ratio | of it after building | launches |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name in arguments.spaces:
        known = ["plain", "plan"] if name in OTHERS else ["published", "plain", "plan"]
        found = compared(name, arguments.variants or known, arguments.steps)
        first_s, first_mb, *_ = next(iter(found.values()))
        for variant, (taken, peak, before, launches) in found.items():
            print(
                f"| {name} | {variant} | {taken:.2f} | {taken / first_s:.2f} | {peak:.0f} | {peak / first_mb:.2f} "
                f"| {peak - before:.0f} | {launches} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
