"""The shapes of images that a compiled file is for, beside those that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.backends.protocol import Shapes


def fits(fixed: Mapping[str, Sequence[object]], given: Shapes) -> bool:
    """Whether images of these shapes are those of a file; what is no number in `fixed` is open."""
    return all(
        wanted == found or not isinstance(wanted, int)
        for name, shape in fixed.items()
        for wanted, found in zip(shape, given.get(name, shape), strict=False)
    )


def described_shapes(shapes: Mapping[str, Sequence[object]]) -> str:
    """`64x128` of one image, `64x128 (image) and 32x64 (depth)` of several."""
    sizes = {name: "x".join(map(str, shape[2:])) for name, shape in shapes.items()}
    if len(sizes) == 1:
        return next(iter(sizes.values()))
    return " and ".join(f"{size} ({name})" for name, size in sizes.items())
