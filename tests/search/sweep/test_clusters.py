"""Workers elsewhere find what processes here find: `pip install ray submitit`, then `make test-slow`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.search.sweep.begin import begin
from archdsl.search.sweep.executors.processes import work_here
from archdsl.search.sweep.executors.ray import work_on_ray
from archdsl.search.sweep.executors.slurm import work_on_slurm
from archdsl.search.sweep.folder import SweepFolder
from archdsl.search.sweep.worker import Worker
from tests.search.sweep.found import outcome, write_text
from tests.search.sweep.worker_process import QUICK_RUN, TICK_S


def on_ray(worker: Worker) -> None:
    pytest.importorskip("ray")
    work_on_ray(worker, 2, address=None, resources={"num_cpus": 0.5})


def on_submitit(worker: Worker) -> None:
    """Its processes stand for jobs of SLURM."""
    pytest.importorskip("submitit")
    work_on_slurm(worker, 2, resources={"timeout_min": 5}, cluster="local")


def begun(root: str) -> SweepFolder:
    return begin(Path(root), "net.arch", command="train", axes=["c=8,16,24"], seeds=2)


def worker(folder: SweepFolder) -> Worker:
    return Worker(folder, program=QUICK_RUN, tick_s=TICK_S)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("elsewhere", [on_ray, on_submitit])
def test_two_workers_elsewhere_find_what_processes_find(
    elsewhere: Callable[[Worker], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path)
    monkeypatch.chdir(tmp_path)
    here, there = begun("here"), begun("there")
    elsewhere(worker(there))
    work_here(worker(here), 1)

    assert len(outcome(here)) == 6
    assert outcome(there) == outcome(here)
    attempts = [each.worker for member in there.plan.members for each in there.progress(member).attempts]
    assert len(attempts) == 6
    assert len(set(attempts)) == 2
