"""Expected exceptions: their messages and exit codes."""

from __future__ import annotations

import sys

from archdsl.cli.exits import Exit


def explain(error: Exception) -> tuple[int, str] | None:
    """The exit code and the message of an expected exception; None for an internal error.

    Looks only into modules that are loaded: a failure of a module that is not cannot have happened.
    """
    for module, name, code in KNOWN:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            return code, str(error)
    if isinstance(error, OSError):
        what = f"`{error.filename}`: " if error.filename else ""
        return Exit.USAGE, f"{what}{(error.strerror or str(error)).lower()}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        from archdsl.extras import extra_with, install_line

        extra = extra_with(error.name)
        if extra is not None:
            return Exit.TOOL, f"`{error.name}` is not installed: {install_line(extra)}"
    if isinstance(error, MemoryError):
        return Exit.TOOL, "not enough memory for this network and images of this size; take a smaller `--input`"
    return None


KNOWN: tuple[tuple[str, str, int], ...] = (
    ("archdsl.api", "Refused", Exit.USAGE),
    ("archdsl.search.derive.errors", "NotDerived", Exit.USAGE),
    ("archdsl.search.sweep.errors", "NotSwept", Exit.USAGE),
    ("archdsl.search.baselines.errors", "NoCandidate", Exit.USAGE),
    ("archdsl.pipeline.logits", "UnreadableLogits", Exit.USAGE),
    ("archdsl.runs.errors", "NoRun", Exit.USAGE),
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
