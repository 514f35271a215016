"""Three-way merge: answers by question, everything else by lines of the canonical texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from archdsl.vcs.answer_merge import settle
from archdsl.vcs.canonical import canonical
from archdsl.vcs.git import GitRefused, run

MARKER: Final = 7
"""The default length of a conflict marker."""

_MOST_CONFLICTS: Final = 127
"""git counts conflicts in its exit code up to here; above, something went wrong."""


@dataclass(frozen=True, slots=True)
class Merged:
    data: bytes
    clean: bool
    """Whether there are no conflicts, and the result parses if both sides do."""


def merge(base: bytes, ours: bytes, theirs: bytes, marker: int = MARKER) -> Merged:
    """The three-way merge of a base and two sides. Raises GitMissing, GitRefused.

    Where a side does not parse the three are merged as they are, line by line. `base` is empty where both sides
    added the file.
    """
    texts = _canonical(base, ours, theirs)
    if texts is None:
        return _by_lines(base, ours, theirs, marker)
    before, one, other = (text.encode() for text in settle(*texts))
    found = _by_lines(before, one, other, marker)
    if not found.clean:
        return found
    text = canonical(found.data)
    if text is None:
        return Merged(_one_conflict(texts[1], texts[2], marker).encode(), clean=False)
    return Merged(text.encode(), clean=True)


def _canonical(base: bytes, ours: bytes, theirs: bytes) -> tuple[str, str, str] | None:
    before, one, other = canonical(base) if base.strip() else "", canonical(ours), canonical(theirs)
    return None if before is None or one is None or other is None else (before, one, other)


def _by_lines(base: bytes, ours: bytes, theirs: bytes, marker: int) -> Merged:
    with TemporaryDirectory(prefix="archdsl-merge-") as place:
        folder = Path(place)
        for name, data in (("base", base), ("ours", ours), ("theirs", theirs)):
            (folder / name).write_bytes(data)
        arguments = ("-p", f"--marker-size={marker}", "ours", "base", "theirs")
        done = run("merge-file", *arguments, folder=folder)
        if done.returncode > _MOST_CONFLICTS:
            raise GitRefused(done.stderr)
        return Merged(done.stdout, clean=done.returncode == 0)


def _one_conflict(ours: str, theirs: str, marker: int) -> str:
    """The conflict where a merge by lines does not parse: everything from the first to the last difference."""
    one, other = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    shorter = min(len(one), len(other))
    first = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    last = next((at for at in range(shorter - first) if one[-1 - at] != other[-1 - at]), shorter - first)
    lines = [
        *one[:first],
        f"{'<' * marker} ours\n",
        *one[first : len(one) - last],
        f"{'=' * marker}\n",
        *other[first : len(other) - last],
        f"{'>' * marker} theirs\n",
        *one[len(one) - last :],
    ]
    return "".join(lines)
