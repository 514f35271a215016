"""What Ray and SLURM have in common: workers are started for free members, and again where some were killed."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.search.sweep.folder import State
from archdsl.search.sweep.worker import Worker


def drive(worker: Worker, workers: int, start: Callable[[int], None]) -> None:
    """Until no member is open. `start` starts so many workers elsewhere and returns when they have ended.

    `worker` itself runs nothing: it has the folder and the request to stop.
    """
    folder, request = worker.folder, worker.request
    while not request and not folder.is_spent:
        states = [folder.state(member) for member in folder.plan.members]
        free = sum(state in (State.WAITING, State.STOPPED) for state in states)
        if free:
            start(min(workers, free))
        elif State.RUNNING in states:
            request.wait(worker.tick_s)
        else:
            return
