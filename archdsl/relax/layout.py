"""Which channels of a supernet's map are there: kernels are sliced by it.

A map of a supernet has a place for each channel that it can have. A concat of maps of which one is narrow, or left
out, has gaps between those that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archdsl.relax.numbers import Mixed, Number, combined, now


@dataclass(frozen=True, slots=True)
class Segment:
    """Channels one behind the other."""

    start: int
    """Its first place."""
    count: Number
    """How many channels are there, from the first place on."""
    stable: bool
    """Whether it has this size under all answers."""

    @property
    def size(self) -> int:
        return now(self.count)

    @property
    def stop(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Layout:
    extent: int
    """The number of places."""
    segments: tuple[Segment, ...]

    @classmethod
    def dense(cls, extent: int, count: Number, *, stable: bool) -> Layout:
        """Channels from the first place on."""
        return cls(extent, (Segment(0, count, stable),))

    @property
    def size(self) -> int:
        """The channels that are there."""
        return sum([segment.size for segment in self.segments])

    @property
    def whole(self) -> bool:
        """Whether each place has its channel."""
        return self.size == self.extent

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """First place and end of each run of channels."""
        found: list[tuple[int, int]] = []
        for segment in self.segments:
            if not segment.size:
                continue
            if found and found[-1][1] == segment.start:
                found[-1] = (found[-1][0], segment.stop)
            else:
                found.append((segment.start, segment.stop))
        return tuple(found)

    @property
    def mixed(self) -> bool:
        """Whether questions that weigh maps decide how many channels are there."""
        return any(isinstance(segment.count, Mixed) for segment in self.segments)

    @property
    def channels(self) -> Number:
        counts = [segment.count for segment in self.segments]
        return counts[0] if len(counts) == 1 else combined(sum, counts)

    @property
    def counted(self) -> Layout:
        """As many channels from the first place on."""
        if self.segments[0].start == 0 and len(self.segments) == 1:
            return self
        return Layout.dense(self.extent, self.channels, stable=all(segment.stable for segment in self.segments))

    @property
    def settled(self) -> Layout:
        """The layout of these channels where their number weighs nothing any more."""
        if not self.mixed:
            return self
        return Layout(self.extent, tuple(Segment(each.start, each.size, each.stable) for each in self.segments))


def joined(parts: Sequence[tuple[int, Layout | None]]) -> Layout:
    """The layout of a concat: each part with the places that it takes up, None for one that is not there."""
    segments: list[Segment] = []
    start = 0
    for extent, layout in parts:
        for segment in layout.segments if layout is not None else ():
            moved = replace(segment, start=start + segment.start)
            last = segments[-1] if segments else None
            if last is not None and last.stable and moved.stable and last.stop == moved.start:
                segments[-1] = Segment(last.start, last.size + moved.size, stable=True)
            else:
                segments.append(moved)
        start += extent
    return Layout(start, tuple(segments))
