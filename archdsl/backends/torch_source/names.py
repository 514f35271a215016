"""Names in a generated torch file: classes, attributes, variables. Whatever a text says, they are plain names."""

from __future__ import annotations

import keyword
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import PathFinder
from itertools import combinations

from archdsl.backends.torch_source.classes import LeafPlan, ModuleClass, ScopePlan, Structure
from archdsl.backends.torch_source.python_layout import literal
from archdsl.backends.torch_source.scopes import Names
from archdsl.ops import Value

FILE_NAMES = frozenset(
    {
        "AttributeError",
        "F",
        "Final",
        "KeyError",
        "Path",
        "RecursionError",
        "Tensor",
        "TypeError",
        "ValueError",
        "json",
        "load",
        "mean_pool",
        "nn",
        "prod",
        "read_safetensors",
        "same_pad",
        "sys",
        "torch",
    }
)
"""What the file itself imports or defines, with the builtins that it uses and that a class could be called."""

_LONGEST = 48


def is_module(name: str) -> bool:
    """Whether Python or an installed package has a module of this name: a program beside a file `NAME.py` gets that.

    torch imports many modules besides those that the generated file imports.
    """
    if name in sys.stdlib_module_names:
        return True
    spec = PathFinder.find_spec(name, [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    return spec is not None and spec.origin is not None


def attribute(home: Names) -> str:
    """How a module in this one is written: `self.conv`, `self.head.conv`."""
    return f"self{''.join(map(_child, home))}"


def _child(name: str) -> str:
    """By its key where it is no name of Python."""
    plain = re.fullmatch(r"(?!_)[A-Za-z0-9_]*", name) and not name[:1].isdigit()
    if plain and not keyword.iskeyword(name):
        return f".{name}"
    return f"._modules[{literal(name)}]"


def variable(name: str) -> str:
    """A name for a map in `forward`."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)[:_LONGEST].strip("_")
    if not plain or plain[0].isdigit():
        plain = f"x{plain}"
    taken = plain in FILE_NAMES or plain in {"self", "I", "O", "l"} or keyword.iskeyword(plain)
    return f"{plain}_" if taken else plain


def camel(name: str) -> str:
    """`zoomed_conv3x3_x2` to `ZoomedConv3x3X2`."""
    parts = re.split(r"[^A-Za-z0-9]+", name)
    joined = "".join(part[:1].upper() + part[1:] for part in parts)[:_LONGEST]
    return joined if joined and not joined[0].isdigit() else f"Module{joined}"


_SUBSETS = [subset for size in range(5) for subset in combinations((3, 1, 2, 0), size) if not {0, 3} <= set(subset)]
"""Of the aspects below, by their positions: few before many, the stride before the window, the child last.
Never both child and stride: the child's name says it."""


def name_classes(classes: Iterable[ModuleClass], network: ModuleClass) -> None:
    """Names after the text's definitions; where one has several classes, after what tells them apart."""
    used = {*FILE_NAMES, "None", "True", "False"}
    network.name = _free(camel(network.structure.definition), used)
    used.add(network.name)
    by_definition: dict[str, list[ModuleClass]] = {}
    for module_class in classes:
        if module_class is not network:
            by_definition.setdefault(module_class.structure.definition, []).append(module_class)
    named: dict[Structure, ModuleClass] = {variant.structure: variant for variant in classes}
    done: set[str] = set()

    def visit(definition: str) -> None:
        """Children first, for their names may tell their parents apart."""
        if definition in done or definition not in by_definition:
            return
        done.add(definition)
        variants = by_definition[definition]
        for variant in variants:
            for plan in variant.structure.members:
                if isinstance(plan, ScopePlan):
                    visit(plan.structure.definition)
        for module_class, name in zip(variants, _distinct(variants, named), strict=True):
            module_class.name = _free(name, used)
            used.add(module_class.name)

    for definition in by_definition:
        visit(definition)


def _distinct(variants: Sequence[ModuleClass], named: Mapping[Structure, ModuleClass]) -> list[str]:
    """The definition's name, with the fewest aspects that tell its classes apart; what is still equal is numbered."""
    base = camel(variants[0].structure.definition)
    aspects = [_aspects(variant, named) for variant in variants]
    suffixes = [""] * len(variants)
    for chosen in _SUBSETS:
        suffixes = ["".join(part for index, part in enumerate(parts) if index in chosen) for parts in aspects]
        if len(set(suffixes)) == len(suffixes):
            break
    seen: Counter[str] = Counter()
    names: list[str] = []
    for suffix in suffixes:
        seen[suffix] += 1
        names.append(f"{base}{suffix}" + (f"V{seen[suffix]}" if seen[suffix] > 1 else ""))
    return names


def _aspects(variant: ModuleClass, named: Mapping[Structure, ModuleClass]) -> tuple[str, str, str, str]:
    """What was chosen for its one child, its first window, its dilation, its stride."""
    children = [named[plan.structure] for plan in variant.structure.members if isinstance(plan, ScopePlan)]
    child = children[0] if len(children) == 1 else None
    member = (child.name or camel(child.structure.definition)) if child else ""
    windows = [dict(plan.fixed) for plan in variant.structure.members if isinstance(plan, LeafPlan)]
    first = next((fixed for fixed in windows if isinstance(fixed.get("k"), tuple)), None)
    apart = first.get("d", 1) if first else 1
    dilation = "" if apart == 1 else f"D{_window(apart) or apart}"
    return member, _window(first["k"]) if first else "", dilation, variant.stride


def _window(value: Value) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else ""


def _free(name: str, used: set[str]) -> str:
    return (
        name
        if name not in used
        else next(candidate for number in range(2, len(used) + 3) if (candidate := f"{name}V{number}") not in used)
    )
