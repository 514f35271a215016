"""Every primitive by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archdsl.ops.convolution import CONV, DWCONV, LINEAR
from archdsl.ops.joining import ADD, CONCAT, MULTIPLY
from archdsl.ops.model import Primitive
from archdsl.ops.pointwise import ARGMAX, BN, DROPOUT, HSIGMOID, HSWISH, RELU, RELU6, SHUFFLE, SIGMOID, SOFTMAX
from archdsl.ops.pooling import AVG_POOL, GLOBAL_AVG_POOL, GLOBAL_MAX_POOL, MAX_POOL
from archdsl.ops.resampling import CROP, RESIZE, ZERO

_ALL = (
    *(CONV, DWCONV, LINEAR),
    *(BN, RELU, RELU6, HSWISH, HSIGMOID, SIGMOID, DROPOUT, SOFTMAX, ARGMAX, SHUFFLE),
    *(MAX_POOL, AVG_POOL, GLOBAL_AVG_POOL, GLOBAL_MAX_POOL),
    *(RESIZE, CROP, ZERO),
    *(CONCAT, ADD, MULTIPLY),
)

PRIMITIVES: Mapping[str, Primitive] = MappingProxyType({primitive.name: primitive for primitive in _ALL})
