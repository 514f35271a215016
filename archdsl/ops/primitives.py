"""Every primitive by its name: those of this package, and those that installed packages add."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Final, ParamSpec, TypeAlias, TypeVar

from archdsl.ops.activations import (
    ELU,
    GELU,
    HSIGMOID,
    HSWISH,
    LEAKY_RELU,
    MISH,
    PRELU,
    RELU,
    RELU6,
    SIGMOID,
    SILU,
    TANH,
)
from archdsl.ops.arithmetic import AFFINE, CHANNEL_MAX, CHANNEL_MEAN, CHANNEL_SUM, COLUMN_MEAN, DIVIDE, ROW_MEAN
from archdsl.ops.convolution import CONV, DWCONV, LINEAR, MATMUL
from archdsl.ops.joining import ADD, CONCAT, MULTIPLY
from archdsl.ops.learned import PARAMETER
from archdsl.ops.model import Attributes, Primitive, Shape, ShapeError
from archdsl.ops.norms import BN, GROUP_NORM, LAYER_NORM
from archdsl.ops.pixel_shuffle import DEPTH_TO_SPACE, SPACE_TO_DEPTH
from archdsl.ops.pointwise import ARGMAX, DROP_PATH, DROPOUT, SHUFFLE, SOFTMAX
from archdsl.ops.pooling import (
    ADAPTIVE_AVG_POOL,
    ADAPTIVE_MAX_POOL,
    AVG_POOL,
    GLOBAL_AVG_POOL,
    GLOBAL_MAX_POOL,
    MAX_POOL,
)
from archdsl.ops.rearranging import FLATTEN, SLICE, TOKENS, TRANSPOSE, UNTOKENS
from archdsl.ops.resampling import CROP, RESIZE, ZERO
from archdsl.ops.transposed import CONV_TRANSPOSE
from archdsl.plugins import RULE_FAILED, Plugin, PluginFailed, blamed, load_object, plugins

_P = ParamSpec("_P")
_T = TypeVar("_T")
_ShapeRule: TypeAlias = "Callable[[Sequence[Shape], Attributes], Shape]"

BUILT_IN: Final = (
    *(CONV, DWCONV, CONV_TRANSPOSE, LINEAR, MATMUL),
    *(BN, LAYER_NORM, GROUP_NORM),
    *(RELU, RELU6, HSWISH, HSIGMOID, SILU, SIGMOID, GELU, LEAKY_RELU, PRELU, ELU, TANH, MISH),
    *(DROPOUT, DROP_PATH, SOFTMAX, ARGMAX, SHUFFLE),
    *(MAX_POOL, AVG_POOL, GLOBAL_AVG_POOL, GLOBAL_MAX_POOL, ADAPTIVE_AVG_POOL, ADAPTIVE_MAX_POOL),
    *(RESIZE, DEPTH_TO_SPACE, SPACE_TO_DEPTH, CROP, ZERO),
    *(SLICE, FLATTEN, TRANSPOSE, TOKENS, UNTOKENS),
    *(CHANNEL_MEAN, CHANNEL_MAX, CHANNEL_SUM, ROW_MEAN, COLUMN_MEAN),
    *(CONCAT, ADD, MULTIPLY, DIVIDE, AFFINE, PARAMETER),
)

GROUP: Final = "archdsl.primitives"
"""The entry points by which a package adds primitives: `NAME = module:PRIMITIVE`."""


class Registry(dict[str, Primitive]):
    """Primitives by name. It holds those of this package, and loads one of another package when it is first named.

    Iterating gives what is held; `names` gives all that could be named.
    """

    def __init__(self) -> None:
        super().__init__({primitive.name: primitive for primitive in BUILT_IN})
        self.reserved = frozenset(self)
        """The names of this package's primitives, which no text and no package can give to anything else."""
        self._failures: dict[str, PluginFailed] = {}

    def __missing__(self, name: str) -> Primitive:
        """Raises PluginFailed, and KeyError where no package has such a primitive."""
        found = self.find(name)
        if found is not None:
            return found
        raise self._failures.get(name) or KeyError(name)

    def find(self, name: str) -> Primitive | None:
        """The primitive; None where there is none, or where its package is broken: see `failure`."""
        if name in self or name in self._failures:
            return self.get(name)
        plugin = plugins(GROUP).get(name)
        if plugin is None:
            return None
        try:
            self[name] = _loaded(plugin)
        except PluginFailed as failure:
            self._failures[name] = failure
        return self.get(name)

    def failure(self, name: str) -> PluginFailed | None:
        """Why a package's primitive cannot be used, for a name that `find` did not find."""
        return self._failures.get(name)

    def names(self) -> tuple[str, ...]:
        """Those of this package first."""
        return tuple(dict.fromkeys((*self, *plugins(GROUP))))


PRIMITIVES: Final = Registry()


def form_of(primitive: Primitive, kind: str) -> object:
    """What a package gives for its primitive as `kind` (`layer`, or a target); None where it gives nothing.

    Raises PluginFailed.
    """
    value = primitive.forms.get(kind)
    return None if value is None else load_object(value, f"`{kind}` of `{primitive.name}`", primitive.package)


def _loaded(plugin: Plugin | PluginFailed) -> Primitive:
    if isinstance(plugin, PluginFailed):
        raise plugin
    found = plugin.load()
    what = f"`{plugin.name}`"
    if not isinstance(found, Primitive):
        raise PluginFailed(what, plugin.package, f"and `{plugin.value}` is no `archdsl.ops.Primitive`")
    if found.name != plugin.name:
        raise PluginFailed(what, plugin.package, f"which calls it `{found.name}` in `{plugin.value}`")
    if found.variadic and found.traits.join is None:
        raise PluginFailed(what, plugin.package, "which says not how it joins maps (`Traits(join=…)`)")
    guard = _Guard(found.name, plugin.package)
    return replace(
        found,
        package=plugin.package,
        shape=guard.shape(found.shape),
        weights=guard.rule(found.weights) if found.owns_tensors else found.weights,
        macs=guard.rule(found.macs),
        scale=guard.rule(found.scale),
        mean_square=guard.rule(found.mean_square),
    )


class _Guard:
    """Rules of a package that name it where they fail."""

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self.package = package

    def rule(self, rule: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(rule)
        def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            with blamed(f"`{self.name}`", self.package, "whose rule fails"):
                return rule(*args, **kwargs)

        return guarded

    def shape(self, rule: _ShapeRule) -> _ShapeRule:
        """A ShapeError is an answer; whatever else goes wrong becomes one."""

        @wraps(rule)
        def guarded(maps: Sequence[Shape], attributes: Attributes) -> Shape:
            try:
                return Shape(*rule(maps, attributes))
            except ShapeError:
                raise
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise ShapeError(
                    RULE_FAILED,
                    f"comes from the package `{self.package}`, whose shape rule fails ({why})",
                    f"update `{self.package}`, or use another primitive",
                ) from error

        return guarded
