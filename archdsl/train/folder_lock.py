"""The folder of a run belongs to one run at a time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

from archdsl.locks import Lock
from archdsl.train.distributed import all_reduce_sum, rank
from archdsl.train.errors import Refused

LOCK: Final = ".lock"


@contextmanager
def locked_folder(out: Path, device: torch.device) -> Generator[None]:
    """The body has the folder, which is made where there is none; of several processes the first one takes it.

    The lock ends with the process, however that ends. Raises Refused in all processes where another run has it,
    OSError.
    """
    lock = None
    if rank() == 0:
        out.mkdir(parents=True, exist_ok=True)
        lock = Lock.take(out / LOCK)
    refused = int(all_reduce_sum(torch.tensor([rank() == 0 and lock is None], dtype=torch.long, device=device)))
    if refused:
        raise Refused(f"another process is running in `{out}`: let it end, or give another `--out`")
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
