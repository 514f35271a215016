"""Objects of a street scene: shapes in metres on a plane that faces the camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from archdsl.data.streets.canvas import Canvas, Floats, Label, Mask, Patch, Random
from archdsl.data.streets.paints import Paints, shaded

Thing: TypeAlias = Callable[[Canvas, float, float, Paints, Random], None]
"""Paints one at (x, z)."""


def tree(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """A trunk, and a crown of leaves that light falls on here and there."""
    height, wide = random.uniform(3.5, 9), random.uniform(1.2, 2.8)
    patch = canvas.upright(z, (x - wide * 1.3, x + wide * 1.3), (0, height * 1.1))
    if patch is None:
        return
    u, v = patch.across - x, patch.up
    trunk = (np.abs(u) < 0.16) & (v > 0) & (v < height * 0.5)
    canvas.paint(patch, trunk, shaded(paints.any(random), 0.7), Label.TREE)
    centre, tall = height * random.uniform(0.6, 0.7), height * 0.38
    offset = float(random.uniform(0, 40))
    leaves = canvas.grain(patch.across + offset, v + offset, 14)
    crown = (u / wide) ** 2 + ((v - centre) / tall) ** 2 < 1 + 0.22 * leaves
    light = 1 + 0.38 * np.sign(leaves) * np.minimum(np.abs(leaves), 1.3)
    canvas.paint(patch, crown, np.clip(paints.any(random) * light[..., None], 0, 1), Label.TREE)


def pole(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """Lit from one side; some carry a sign."""
    height = random.uniform(2.6, 8)
    thick = max(random.uniform(0.05, 0.12), 0.6 * z / canvas.camera.focal / canvas.size[0])
    patch = canvas.upright(z, (x - thick, x + thick), (0, height))
    if patch is None:
        return
    u = (patch.across - x) / thick
    lit = np.clip(paints.any(random) * (1 + 0.5 * u[..., None]), 0, 1)
    canvas.paint(patch, (np.abs(u) < 1) & (patch.up > 0) & (patch.up < height), lit, Label.POLE)
    if random.random() < 0.75:
        _sign(canvas, x, min(height, random.uniform(2.2, 4)), z, paints, random)


def _sign(canvas: Canvas, x: float, y: float, z: float, paints: Paints, random: Random) -> None:
    """A disc, a triangle or a board with a rim and something written on it."""
    radius = random.uniform(0.35, 0.7)
    patch = canvas.upright(z - 0.05, (x - radius, x + radius), (y - radius, y + radius))
    if patch is None:
        return
    u, v = (patch.across - x) / radius, (patch.up - y) / radius
    distance = (
        np.hypot(u, v),
        np.maximum(np.abs(u) * 1.2 + v * 0.6, -v * 1.2),
        np.maximum(np.abs(u), np.abs(v) * 1.3),
    )[int(random.integers(3))]
    rim, face = paints.two(random, apart=0.3)
    canvas.paint(patch, distance < 1, rim, Label.SIGN)
    canvas.tint(patch, distance < 0.72, face)
    canvas.tint(patch, (np.abs(u) < 0.35) & (np.abs(v) < 0.15), rim)


def fence(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """Bars that one sees through, with a rail; all of it is fence."""
    height, wide = random.uniform(0.9, 1.9), random.uniform(2, 6)
    patch = canvas.upright(z, (x - wide, x + wide), (0, height))
    if patch is None:
        return
    u, v = patch.across - x, patch.up
    whole = (np.abs(u) < wide) & (v > 0) & (v < height)
    apart = max(random.uniform(0.2, 0.4), 3.2 * z / canvas.camera.focal / canvas.size[0])
    bars = (u / apart % 1 < 0.45) | (v > height - 0.12)
    colour = paints.any(random)
    behind = canvas.colours[patch.rows, patch.columns]
    canvas.paint(patch, whole, 0.75 * behind + 0.25 * behind.mean(), Label.FENCE)
    canvas.tint(patch, whole & bars, colour)


def car(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """From behind or from the front, or from the side where it crosses."""
    aside = random.random() < 0.3
    half, height = (random.uniform(1.9, 2.3), 1.45) if aside else (random.uniform(0.8, 1.0), random.uniform(1.4, 2.1))
    patch = canvas.upright(z, (x - half * 1.1, x + half * 1.1), (-0.15, height))
    if patch is None:
        return
    u, v = (patch.across - x) / half, patch.up / height
    body, glass = paints.any(random), shaded(paints.any(random), 0.5)
    canvas.tint(patch, (np.abs(u) < 1.05) & (np.abs(patch.up) < 0.12), np.full(3, 0.08, dtype=np.float32))
    waist = 0.55
    roof = 0.55 if aside else 0.8
    slope = roof + (1 - roof) * np.clip((1 - v) / (1 - waist), 0, 1) ** 1.5
    shell = (np.abs(u) < np.where(v > waist, slope * 0.97, 1)) & (v > 0.16) & (v < 1)
    wheel_at, wheel = (0.6, 0.16) if aside else (0.78, 0.17)
    wheels = _wheels(u, patch.up, half, wheel_at, 0.33 if aside else 0.3, flat=wheel if not aside else None)
    canvas.paint(patch, shell | wheels, np.clip(body * (0.75 + 0.4 * v[..., None]), 0, 1), Label.CAR)
    canvas.tint(patch, wheels, np.full(3, 0.07, dtype=np.float32))
    window = (v > waist + 0.05) & (v < 0.93) & (np.abs(u) < slope * 0.97 - 0.12)
    canvas.tint(patch, window & ((np.abs(u) > 0.04) if aside else True), glass)
    lights = (np.abs(np.abs(u) - (0.92 if aside else 0.78)) < (0.06 if aside else 0.14)) & (np.abs(v - 0.45) < 0.07)
    lamp = np.array([(0.85, 0.1, 0.1), (1.0, 0.97, 0.8)][int(random.integers(2))], dtype=np.float32)
    canvas.tint(patch, lights, lamp)


def _wheels(u: Floats, up: Floats, half: float, at: float, radius: float, *, flat: float | None) -> Mask:
    aside = np.abs(np.abs(u) - at)
    if flat is not None:
        return (aside < flat) & (up > 0) & (up < 2 * radius)
    return np.hypot(aside * half, up - radius) < radius


def person(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """A head, a coat, and legs in the middle of a step."""
    height = random.uniform(1.3, 1.95)
    patch = canvas.upright(z, (x - 0.5, x + 0.5), (0, height))
    if patch is not None:
        _figure(canvas, patch, x, 0, height, Label.PERSON, paints, random)


def _figure(
    canvas: Canvas, patch: Patch, x: float, foot: float, height: float, label: Label, paints: Paints, random: Random
) -> None:
    u, v = (patch.across - x) / height, (patch.up - foot) / height
    step = random.uniform(0.02, 0.1)
    legs = (np.abs(np.abs(u) - 0.045 - step * np.clip(0.5 - v, 0, 0.5)) < 0.045) & (v > 0) & (v < 0.5)
    coat = (np.abs(u) < 0.12 + 0.03 * np.sin(6 * v)) & (v > 0.42) & (v < 0.83)
    head = np.hypot(u, (v - 0.92) * 0.9) < 0.072
    canvas.paint(patch, legs, shaded(paints.any(random), 0.6), label)
    canvas.paint(patch, coat, paints.any(random), label)
    canvas.paint(patch, head, shaded(paints.any(random), 0.9), label)


def cyclist(canvas: Canvas, x: float, z: float, paints: Paints, random: Random) -> None:
    """Two wheels from the side, or one from behind, and somebody above."""
    aside, radius = random.random() < 0.6, 0.36
    patch = canvas.upright(z, (x - 1.1, x + 1.1), (0, 1.9))
    if patch is None:
        return
    u, v = patch.across - x, patch.up
    rim = max(0.05, 0.8 * z / canvas.camera.focal / canvas.size[0])
    if aside:
        spokes = np.hypot(np.abs(u) - 0.55, v - radius)
        frame = (np.abs(v - 0.36 - 0.35 * (1 - np.abs(u) / 0.55)) < rim) & (np.abs(u) < 0.55)
        wheels = np.abs(spokes - radius) < rim
        canvas.paint(patch, spokes < radius, 0.8 * canvas.colours[patch.rows, patch.columns], Label.CYCLIST)
    else:
        frame = (np.abs(v - 0.95) < rim) & (np.abs(u) < 0.32)
        wheels = (np.abs(u) < rim) & (v > 0) & (v < 2 * radius)
    canvas.paint(patch, wheels | frame, shaded(paints.any(random), 0.4), Label.CYCLIST)
    _figure(canvas, patch, x, 0.4, random.uniform(1.25, 1.45), Label.CYCLIST, paints, random)


THINGS: Final[Mapping[Label, Thing]] = {
    Label.TREE: tree,
    Label.POLE: pole,
    Label.FENCE: fence,
    Label.CAR: car,
    Label.PERSON: person,
    Label.CYCLIST: cyclist,
}
