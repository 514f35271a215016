"""Workers on this machine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from archdsl.search.sweep.worker import Worker


def work_here(worker: Worker, workers: int) -> None:
    """So many members at a time, until none is open. The commands are processes; a worker is a thread that waits.

    Where CUDA_VISIBLE_DEVICES names several devices, workers have one each, in turn. Raises OSError.
    """
    devices = [each for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
    with ThreadPoolExecutor(workers) as pool:
        started = [
            pool.submit(replace(worker, environment=_device(devices, number)).work, wait=True)
            for number in range(workers)
        ]
        for each in started:
            each.result()


def _device(devices: list[str], number: int) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": devices[number % len(devices)]} if len(devices) > 1 else {}
