"""Primitives as data: parameters, arity, traits, and rules for shape inference, weights and multiply-adds.

Everything here works on channel counts that may still be open (`Count`); heights and widths are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from archdsl.ops.dims import Count, Dim
from archdsl.records import record

Value: TypeAlias = "int | Fraction | bool | str | Dim | tuple[int, int] | tuple[int, int, int, int] | None"
"""A parameter's value. A window (`k = 3`, `k = 15x1`) is a pair (height, width); a step is one number where both sides
have it (`s = 2`), else a pair; a flag is a bool."""

Attributes: TypeAlias = "Mapping[str, Value]"

Scale: TypeAlias = "tuple[Fraction, Fraction]"
"""Factors of rows and columns."""


class Shape(NamedTuple):
    """A map of one image: channels, height, width (the batch is never part of it)."""

    channels: Count
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def closed_channels(self) -> int:
        """The channels as a number. Raises TypeError where answers still decide them."""
        if not isinstance(self.channels, int):
            raise TypeError(f"{self} has channels that answers decide")
        return self.channels

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


LARGEST: Final = 1_000_000
"""No channel count, side of a map, stride, dilation or window is larger: exported files count in 64 bits."""

LARGEST_FLOAT: Final = 10**38
"""Networks are trained and exported with 32-bit floats, which hold little more."""
SMALLEST_FLOAT: Final = Fraction(1, LARGEST_FLOAT)
"""What is nearer to zero becomes zero, or loses its digits."""


class Kind(StrEnum):
    """What a parameter may be."""

    CHANNELS = "a channel count"
    COUNT = "a whole number of at least 1"
    INDEX = "a whole number of at least 0"
    GROUPS = "a number of groups"
    """Of channels, and so a count too; where they cannot be divided by it as it is, each of its numbers is an op."""
    WINDOW = "a size (3, or 15x1)"
    STEP = "a step (2, or 2x1)"
    MARGIN = "a number of rows and columns (1, or 1x2)"
    PADDING = 'a padding (1, 1x2, 0x0x1x1 or "same")'
    FACTOR = "a number above 0"
    NUMBER = "a number"
    FLAG = "yes or no"
    WORD = "a word"


COUNTS: Final = frozenset({Kind.CHANNELS, Kind.GROUPS})
"""The kinds of numbers that may depend on answers."""


@record
class Parameter:
    name: str
    kind: Kind
    default: Value = None
    required: bool = False
    of_map: bool = False
    """Where it is not given, the channels (or the size) of the first map: filled in where the call stands."""
    words: tuple[str, ...] = ()
    """What a WORD may be."""
    low: int | None = None
    """The least that a NUMBER may be."""
    high: int | None = None
    """The most that a NUMBER may be."""


class Role(StrEnum):
    """What a tensor does to a map, which decides its random initial values."""

    FILTER = "filter"
    """Sums over its axes but that of the output channels."""
    BIAS = "bias"
    SCALE = "scale"
    SLOPE = "slope for negative values"
    LEARNED = "learned numbers"
    """That are read as they are."""
    MEAN = "running mean"
    VARIANCE = "running variance"


@record
class Weight:
    """A tensor that a primitive owns, under its name in torch (`weight`, `bias`, `running_mean`)."""

    name: str
    shape: tuple[Count, ...]
    role: Role = Role.FILTER
    axis: int = 0
    """Of a FILTER the axis of the output channels; where it is not the first, of those in one group."""
    share: Fraction = Fraction(1)
    """Of a FILTER that part of what its other axes hold which one number of the result is a sum over."""
    init: Fraction = Fraction(0)
    """Of LEARNED the mean with which it begins."""
    std: Fraction = Fraction(0)
    """And the deviation from it."""

    @property
    def trained(self) -> bool:
        """False for the running statistics of a batch norm, which are not counted as parameters."""
        return self.role not in (Role.MEAN, Role.VARIANCE)


class ShapeError(Exception):
    """A primitive cannot read these maps with these parameters.

    `reason` finishes the sentence "`conv` …"; `help` says what to write instead, if that is known. What is `complete`
    is shown in these words; else maps that differ (E0501, E0502) are compared, and where each was made is shown.
    """

    def __init__(self, code: str, reason: str, help: str | None = None, *, complete: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.help = help
        self.complete = complete


MeanSquare: TypeAlias = "Callable[[Sequence[float], Sequence[Shape], Attributes], float]"
"""The expected mean square of a result, of those of the maps read, their closed shapes and the attributes."""


def same_shape(maps: Sequence[Shape], _: Attributes) -> Shape:
    """That of the first map."""
    return maps[0]


def no_factor(_: Attributes) -> Scale | None:
    """The resolution of a result that does not follow from that of its map by a factor."""
    return None


def same_resolution(_: Attributes) -> Scale | None:
    return Fraction(1), Fraction(1)


def no_weights(_shapes: Sequence[Shape], _attributes: Attributes) -> tuple[Weight, ...]:
    return ()


def no_macs(_shapes: Sequence[Shape], _result: Shape, _attributes: Attributes) -> Count:
    return 0


def mean_square_of_first(read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    return read[0]


def unit_mean_square(_read: Sequence[float], _maps: Sequence[Shape], _attributes: Attributes) -> float:
    """Of a layer with random weights, which are drawn so that it writes numbers of size 1."""
    return 1.0


class Channels(StrEnum):
    """Where the channel count of the result comes from."""

    FIRST = "that of the first map"
    OWN = "the primitive's own: a parameter, or a constant"
    DERIVED = "computed of the shapes of its maps"
    SUM = "the sum over all maps"


class Kept(StrEnum):
    """What training keeps of a primitive's maps until their gradient has been computed."""

    READ = "the maps that it reads"
    READ_AND_INDICES = "the map that it reads, and for each value that it writes a 64-bit index"
    WRITTEN = "the map that it writes"
    NOTHING = "none"


class Reads(StrEnum):
    """Of which places of a map a number of the result is computed."""

    PLACE = "its own; where the result is smaller, the block that becomes its place"
    WINDOW = "a window of size `k` that moves by `s`, its places `d` apart where it has such a parameter"
    SPREAD = "a window of size `k` around it, of places that lie `s` apart, as a transposed convolution has them"
    PART = "as many rows and columns as fall to it where the map is cut into those of the result"
    ROW = "all of its row"
    COLUMN = "all of its column"
    MAP = "all"
    ANY = "others: maps are matrices, or are rearranged"


@record
class Join:
    """How a primitive is called that joins any number of maps."""

    sign: str
    """On pictures: `+`."""
    noun: str
    """In messages: "at a sum"."""
    verb: str
    """In messages: "cannot add"."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rest of the compiler asks of a primitive instead of its name."""

    channels: Channels = Channels.FIRST
    commutative: bool = False
    """The order of its maps makes no difference."""
    adds: bool = False
    """The sum of its maps: how they are grouped makes no difference, and zeros add nothing."""
    keeps_zeros: bool = False
    """Of zeros it writes zeros. One that `absorbs_batch_norm` does so where it has no bias."""
    identity_of_one: bool = False
    """Of one map it gives that map, so it is left out there (a sum of one)."""
    join: Join | None = None
    """Given for each primitive that reads any number of maps."""
    activation: bool = False
    """A nonlinear function of each value alone."""
    absorbs_batch_norm: bool = False
    """Linear in `weight`, with a parameter and tensor `bias`: a batch norm behind becomes part of it at inference."""
    batch_norm: bool = False
    """Normalises each channel by `running_mean` and `running_var`, with `eps` and `affine` as torch's has them."""
    resamples: bool = False
    """Brings its first map to another size by interpolation."""
    like: bool = False
    """Of a second map the size alone is read."""
    index: bool = False
    """Writes the number of a channel, 64-bit integers in every runtime."""
    zeros: bool = False
    """Writes zeros whatever it reads: no connection."""
    constant: bool = False
    """Writes what it has learned whatever it reads; of its map the batch alone is read."""
    by_channel: bool = False
    """Each channel of the result hangs on that channel of its maps alone, so of a narrow map it makes a narrow one."""
    reorders_channels: bool = False
    """Writes the channels of its first map in another order."""
    spreads: bool = False
    """Of a map with one channel, one row or one column that is read for each channel, row or column of the others."""
    vector: bool = False
    """Writes one number a channel for a whole image, whatever its size: a classifier may end in it."""
    random: bool = False
    """Draws random numbers in training, so two of one map are not equal."""
    kept: Kept = Kept.READ
    reads: Reads = Reads.PLACE
    """Of what resamples its first map or writes zeros it says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """One operator that torch and ONNX know, without either."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    shape: Callable[[Sequence[Shape], Attributes], Shape]
    """The shape of the result. Raises ShapeError."""
    weights: Callable[[Sequence[Shape], Attributes], tuple[Weight, ...]] = no_weights
    macs: Callable[[Sequence[Shape], Shape, Attributes], Count] = no_macs
    """Multiply-adds for one image: those of layers, and of products of matrices."""
    least: int = 1
    most: int | None = 1
    """The number of maps that it reads is from `least` to `most`; None is no upper bound."""
    maps: tuple[str, ...] = ("x",)
    """Names under which a text may give the first maps (`resize(like = x)`)."""
    channels_by: Callable[[Attributes], Channels] | None = None
    """Where the channel count of the result comes from, where parameters decide it; else `traits.channels`."""
    scale: Callable[[Attributes], Scale | None] = same_resolution
    """Resolution of the result over that of the first map, by rows and by columns; None where the one does not follow
    from the other by a factor (a fixed size, the size of a second map, a global pool, a padded pool that rounds up).
    The height and width of a map times the factor, where these are whole, are those of the result, but for what a crop
    or a window with less padding leaves out at the edges, or one with more adds."""
    mean_square: MeanSquare = mean_square_of_first
    """How random weights are scaled. Maps are taken to be normally distributed with mean 0."""
    wider: Callable[[Attributes], bool] | None = None
    """Whether with these parameters it reads the whole map, where `traits.reads` says less."""
    traits: Traits = Traits()
    forms: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of a primitive that another package adds: `module:object` by what it is for, `layer` for the torch layer and
    the name of a target for how that target writes it (`torch`, `onnx`). Those of this package stand in tables."""
    package: str = ""
    """The package that adds it, as the registry found it; empty for those of this package."""

    @property
    def variadic(self) -> bool:
        """Whether it joins any number of maps, which stand in its brackets: `concat(a, b)`."""
        return self.most is None

    def places_read(self, attributes: Attributes) -> Reads:
        return Reads.MAP if self.wider is not None and self.wider(attributes) else self.traits.reads

    @property
    def owns_tensors(self) -> bool:
        return self.weights is not no_weights

    @property
    def is_layer(self) -> bool:
        """Whether it multiplies its map by weights, as convolutions and fully connected layers do."""
        return self.owns_tensors and self.macs is not no_macs

    def channels(self, attributes: Attributes) -> Channels:
        """Where the channel count of the result comes from with these parameters."""
        return self.traits.channels if self.channels_by is None else self.channels_by(attributes)


@cache
def kinds(primitive: Primitive) -> Mapping[str, Kind]:
    """What each parameter of a primitive may be."""
    return {parameter.name: parameter.kind for parameter in primitive.parameters}
