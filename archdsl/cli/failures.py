"""Expected exceptions: their messages and exit codes."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from archdsl.cli.exits import Exit
from archdsl.text import visible_line


def explain(error: Exception) -> tuple[int, str] | None:
    """The exit code and the message of an expected exception; None for an internal error.

    Looks only into modules that are loaded: a failure of a module that is not cannot have happened.
    """
    for module, name, code in KNOWN:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            return code, str(error)
    if _is_of_memory(error):
        return Exit.TOOL, _memory(error)
    if isinstance(error, OSError):
        what = f"`{visible_line(_name(error.filename))}`: " if error.filename else ""
        return Exit.USAGE, f"{what}{(error.strerror or str(error)).lower()}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        from archdsl.extras import extra_with, install_line

        extra = extra_with(error.name)
        if extra is not None:
            return Exit.TOOL, f"`{error.name}` is not installed: {install_line(extra)}"
    if isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError) and _library(error):
        reason = str(error).strip().splitlines()[0]
        return Exit.TOOL, f"`{_library(error)}` is installed and cannot be loaded: {reason}; install it again"
    return None


def _name(filename: object) -> str:
    return os.fsdecode(filename) if isinstance(filename, bytes) else str(filename)


def _library(error: ImportError) -> str:
    """The package that could not be loaded; empty for one of ours, which is a defect."""
    name = Path(error.path).parent.name if error.path else (error.name or "a library").partition(".")[0]
    return "" if "archdsl" in (name, (error.name or "").partition(".")[0]) else name


def _is_of_memory(error: BaseException | None) -> bool:
    """Whether an exception, or the one behind it, tells of memory; libraries say so in their words alone."""
    if error is None:
        return False
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, OSError | ImportError | RuntimeError) and any(words in str(error).lower() for words in _WORDS):
        return True
    return _is_of_memory(error.__cause__ or error.__context__)


_WORDS = ("cannot allocate memory", "can't allocate memory", "failed to map segment", "out of memory")


def _memory(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "not enough memory to load the libraries that this needs: give the process more"
    return "not enough memory for this network and images of this size; take a smaller `--input`"


KNOWN: tuple[tuple[str, str, int], ...] = (
    ("archdsl.api", "Refused", Exit.USAGE),
    ("archdsl.search.derive.errors", "NotDerived", Exit.USAGE),
    ("archdsl.search.sweep.errors", "NotSwept", Exit.USAGE),
    ("archdsl.search.baselines.errors", "NoCandidate", Exit.USAGE),
    ("archdsl.pipeline.logits", "UnreadableLogits", Exit.USAGE),
    ("archdsl.exchange.errors", "NotImported", Exit.USAGE),
    ("archdsl.exchange.errors", "NotExported", Exit.USAGE),
    ("archdsl.runs.errors", "NoRun", Exit.USAGE),
    ("archdsl.pipeline.genotype_writer", "NotNamed", Exit.USAGE),
    ("archdsl.train.errors", "Refused", Exit.USAGE),
    ("archdsl.train.errors", "Diverged", Exit.FINDINGS),
    ("archdsl.train.errors", "NotFinite", Exit.FINDINGS),
    ("archdsl.train.errors", "DiskFull", Exit.USAGE),
    ("archdsl.pipeline.spelled_answers", "OtherAnswers", Exit.USAGE),
    ("archdsl.train.checkpoints", "BrokenCheckpoint", Exit.USAGE),
    ("archdsl.weights.mismatch", "WeightsMismatch", Exit.FINDINGS),
    ("archdsl.weights.stored", "BrokenWeights", Exit.FINDINGS),
    ("archdsl.weights.stored", "UnreadableWeights", Exit.USAGE),
    ("archdsl.weights.random", "TooManyWeights", Exit.USAGE),
    ("archdsl.plugins", "PluginFailed", Exit.TOOL),
    ("archdsl.extras", "ToolMissing", Exit.TOOL),
    ("archdsl.backends.failures", "TargetFailed", Exit.TOOL),
    ("archdsl.backends.failures", "UnreadableModel", Exit.USAGE),
    ("archdsl.backends.failures", "Untrusted", Exit.USAGE),
    ("archdsl.backends.manifest", "ManifestUnreadable", Exit.USAGE),
    ("archdsl.backends.bench.timing", "NotTimed", Exit.USAGE),
    ("archdsl.measure.runtime", "NotMeasured", Exit.USAGE),
    ("archdsl.measure.samples", "SamplesUnreadable", Exit.USAGE),
    ("archdsl.cost.merge", "NotTogether", Exit.USAGE),
    ("archdsl.cost.tables", "TableUnreadable", Exit.USAGE),
    ("archdsl.relax.checkpoints", "NotEnoughMemory", Exit.USAGE),
    ("archdsl.vcs.git", "GitMissing", Exit.TOOL),
    ("archdsl.vcs.git", "GitRefused", Exit.USAGE),
    ("archdsl.vcs.git", "NoRepository", Exit.USAGE),
    ("archdsl.data.images", "Unreadable", Exit.USAGE),
    ("archdsl.data.problems", "NoData", Exit.USAGE),
    ("archdsl.data.problems", "BadData", Exit.FINDINGS),
    ("archdsl.render.draw", "NothingToDraw", Exit.USAGE),
)
"""Module, name and exit code of each expected exception."""
