"""Workers as tasks of a Ray cluster."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.executors.remote import drive
from archdsl.search.sweep.worker import Worker, work_in


def work_on_ray(
    worker: Worker, workers: int, *, address: str | None, resources: Mapping[str, int | float | str]
) -> None:
    """So many tasks on the cluster at an address, on a local one without; its machines share the sweep's folder.

    `resources` are options of each task, such as `num_gpus`. Raises NotSwept where a task cannot run.
    """
    ray: Any = import_module("ray")
    alone = {"include_dashboard": False} if address is None else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", **alone)
    except Exception as error:  # noqa: BLE001 - Ray raises this class itself where a node does not start in time
        where = "cluster starts on this machine" if address is None else f"cluster at `{address}`"
        raise NotSwept(f"no Ray {where}: {error}") from None
    task = ray.remote(work_in).options(**resources)
    root = str(worker.folder.root.resolve())

    def start(count: int) -> None:
        waiting = [task.remote(root, worker.program, worker.tick_s) for _ in range(count)]
        while waiting:
            ended, waiting = ray.wait(waiting, timeout=worker.tick_s)
            if worker.request:
                for each in waiting:
                    ray.cancel(each)
                ray.wait(waiting, num_returns=len(waiting))
                return
            try:
                ray.get(ended)
            except ray.exceptions.RayError as error:
                raise NotSwept(f"a worker on Ray ended: {error}") from None

    try:
        drive(worker, workers, start)
    finally:
        ray.shutdown()
