"""Workers as jobs of SLURM, by submitit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.executors.remote import drive
from archdsl.search.sweep.worker import Worker, work_in


class _Work:
    """The work of a job. One that is preempted, or whose time is over, is queued again and goes on in the folder."""

    def __call__(self, root: str, program: Sequence[str], tick_s: float) -> None:
        work_in(root, program, tick_s)

    def checkpoint(self, *arguments: Any) -> Any:
        return import_module("submitit.helpers").DelayedSubmission(self, *arguments)


def work_on_slurm(
    worker: Worker, workers: int, *, resources: Mapping[str, int | float | str], cluster: str = "slurm"
) -> None:
    """So many jobs, whose logs go to `slurm` in the sweep's folder, which the cluster's machines share.

    `resources` are parameters of submitit, such as `timeout_min` and `slurm_partition`; `cluster` is another of its
    executors, such as `local`. Raises NotSwept where jobs cannot be submitted or fail.
    """
    submitit: Any = import_module("submitit")
    root = worker.folder.root.resolve()
    try:
        executor = submitit.AutoExecutor(folder=str(root / "slurm"), cluster=cluster)
        executor.update_parameters(name="archdsl-sweep", **resources)
    except (RuntimeError, NameError, ValueError) as error:
        raise NotSwept(f"submitit cannot submit jobs: {error}") from None

    def start(count: int) -> None:
        jobs = [executor.submit(_Work(), str(root), worker.program, worker.tick_s) for _ in range(count)]
        while not all(job.done() for job in jobs):
            if worker.request:
                for job in jobs:
                    job.cancel(check=False)
                return
            worker.request.wait(worker.tick_s)
        for job in jobs:
            if job.exception() is not None:
                raise NotSwept(f"the job {job.job_id} failed; its output is `{job.paths.stderr}`")

    drive(worker, workers, start)
