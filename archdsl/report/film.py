"""A picture over the steps of a search: laid out once, so that nothing jumps, and what changes in it by step.

CAS's figure 4 shows cells so. Of each step only what differs from the step before is kept: how wide a line is, whether
it is the most probable, and labels.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, zip_longest
from typing import Any, Final, TypeAlias, TypeVar

from archdsl.render import Box, Line, Picture, Text
from archdsl.report.markup import Html
from archdsl.report.svg import parsed, unnamed, written

Part: TypeAlias = "Box | Line"

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_NAME: Final = re.compile(r"(node|edge)(\d+)")
_CHIP: Final = "#fffffe"
"""The fill behind the labels of lines, from which the middle of each is known."""
_LEADING: Final = 1.2
"""The height of a line of text, by the size of its letters."""
_BELOW: Final = 0.3
"""How much of that is below the line that letters stand on."""


@dataclass(frozen=True, slots=True)
class Film:
    """One picture over all steps."""

    name: str
    svg: Html
    """As the last step has it; what changes has a `data-part`."""
    frames: tuple[Mapping[str, Any], ...]
    """By step what differs from the one before, by part: its `texts`, its `width` and `colour` where it is a line."""

    @property
    def moves(self) -> bool:
        """Whether anything changes."""
        return any(self.frames)


def film(name: str, pictures: Sequence[Picture]) -> Film:
    """One picture for each step, at least one. Raises ToolMissing without Graphviz."""
    parts = [_parts(each) for each in pictures]
    last = parts[-1]
    changing = {key for key in last if any(each[key] != last[key] for each in parts)}
    root = parsed(_roomy(pictures))
    middles: dict[str, float] = {}
    for group in root.iter("g"):
        match = _NAME.fullmatch(group.get("id", ""))
        if match is None:
            continue
        key = f"{match[1][0]}{match[2]}"
        if match[1] == "edge":
            _centre(group)
        if key in changing:
            middles[key] = _middle(group)
            group.set("data-part", key)
            _show(group, _look(last[key], middles[key]))
    unnamed(root)
    frames: list[Mapping[str, Any]] = []
    before: Mapping[str, Any] = {}
    for each in parts:
        looks = {key: _look(each[key], middle) for key, middle in middles.items()}
        frames.append({key: look for key, look in looks.items() if before.get(key) != look})
        before = looks
    return Film(name, written(root), tuple(frames) if middles else ())


def evenly(steps: Sequence[int], most: int) -> list[int]:
    """At most so many of the steps, as even as they lie; the first and the last are among them."""
    if len(steps) <= most:
        return list(steps)
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]


def _parts(picture: Picture) -> dict[str, Part]:
    """Boxes and lines as Graphviz numbers them."""
    boxes = {f"n{number}": box for number, box in enumerate(picture.boxes, 1)}
    return boxes | {f"e{number}": line for number, line in enumerate(picture.lines, 1)}


def _look(part: Part, middle: float) -> dict[str, Any]:
    """What is seen of a part whose label stands around `middle`, in SVG's coordinates."""
    heights = [_LEADING * text.size for text in part.label]
    ends = [middle - sum(heights) / 2 + end for end in accumulate(heights)]
    texts = [
        [text.text, round(end - _BELOW * text.size, 2), text.size, text.colour, "bold" if text.bold else "normal"]
        for text, end in zip(part.label, ends, strict=True)
    ]
    if isinstance(part, Line):
        return {"texts": texts, "width": part.stroke.width, "colour": part.stroke.colour}
    return {"texts": texts}


def _roomy(pictures: Sequence[Picture]) -> Picture:
    """The last picture, with room for the longest label of all."""
    last = pictures[-1]
    boxes = tuple(_with_room(box, _labels(each.boxes[at] for each in pictures)) for at, box in enumerate(last.boxes))
    lines = tuple(_with_room(line, _labels(each.lines[at] for each in pictures)) for at, line in enumerate(last.lines))
    return replace(last, boxes=boxes, lines=tuple(replace(each, fill=_CHIP) if each.label else each for each in lines))


def _labels(parts: Iterable[Part]) -> list[tuple[Text, ...]]:
    return [part.label for part in parts]


_Part = TypeVar("_Part", Box, Line)


def _with_room(part: _Part, labels: Sequence[tuple[Text, ...]]) -> _Part:
    """With the widest text of all for each line of its label."""
    count = max(map(len, labels))
    return replace(part, label=tuple(_widest(label[at] for label in labels if at < len(label)) for at in range(count)))


def _widest(texts: Iterable[Text]) -> Text:
    return max(texts, key=lambda text: (len(text.text) * text.size, text.bold))


def _centre(edge: ET.Element) -> None:
    """The lines of its label in the middle of the chip behind them, whatever they come to be."""
    chip = next((each for each in edge if each.get("fill") == _CHIP), None)
    if chip is None:
        return
    edge.remove(chip)
    numbers = [float(each) for each in _NUMBER.findall(chip.get("d") or chip.get("points") or "")]
    middle = f"{(min(numbers[::2]) + max(numbers[::2])) / 2:.2f}"
    for text in edge.iter("text"):
        text.set("text-anchor", "middle")
        text.set("x", middle)


def _middle(group: ET.Element) -> float:
    """Of the height of its label, for letters that stand on their lines."""
    places = [(float(text.attrib["y"]), float(text.attrib["font-size"])) for text in group.iter("text")]
    if not places:
        return 0.0
    (first, above), (last, below) = places[0], places[-1]
    return (first - (_LEADING - _BELOW) * above + last + _BELOW * below) / 2


def _show(group: ET.Element, look: Mapping[str, Any]) -> None:
    """As `show` in `page.js` does."""
    for place, text in zip_longest(group.iter("text"), look["texts"]):
        place.text = text[0] if text else ""
        for name, value in zip(("y", "font-size", "fill", "font-weight"), text[1:] if text else (), strict=False):
            place.set(name, str(value))
    if "width" in look:
        for path in group:
            if path.get("stroke") not in (None, "none"):
                path.set("stroke", look["colour"])
                path.set("stroke-width", f"{look['width']:g}")
            if path.tag == "polygon":
                path.set("fill", look["colour"])
