"""`python -m tests.search.sweep.worker_process FOLDER WORKERS`: works on a sweep of quick runs."""

from __future__ import annotations

import sys
from pathlib import Path

from archdsl.search.sweep.executors.processes import work_here
from archdsl.search.sweep.folder import SweepFolder
from archdsl.search.sweep.stopping import stop_on_signals
from archdsl.search.sweep.worker import Worker

QUICK_RUN = (sys.executable, str(Path(__file__).with_name("quick_run.py")))
TICK_S = 0.05


def main() -> int:
    with stop_on_signals() as request:
        folder = SweepFolder.read(Path(sys.argv[1]))
        work_here(Worker(folder, request, program=QUICK_RUN, tick_s=TICK_S), int(sys.argv[2]))
    return 128 + request.signal if request else 0


if __name__ == "__main__":
    sys.exit(main())
