"""Tensors of a file that `torch.save` wrote, a state dict or a checkpoint with one in it, without torch.

Such a file holds a pickle, which can name any function to be called. Here it is read as data, instruction by
instruction: tensors, dicts, lists, texts and numbers are kept, all else becomes `NOTHING`, and nothing is imported or
called. torch's own loader does the same where `weights_only` is set, imports what is on a list, and refuses the rest.
"""

from __future__ import annotations

import errno
import pickle
import pickletools
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from archdsl.weights.stored import KINDS, Stored, UnreadableWeights, require_float

_ZIP: Final = b"PK\x03\x04"
_MAGIC: Final = b"l\xfc\x9cF\xf9 j\xa8P\x19"
"""A number of torch's own, whose pickle begins the files that it wrote before 1.6."""
_LOCAL_HEADER: Final = 30
"""Bytes before the name in the head of a zip's member."""
_STATE_DICTS: Final = ("state_dict", "model_state_dict", "model")
"""Where checkpoints have their network's tensors, most telling first."""

MAGIC_BYTES: Final = 32


def begins_as_torch(head: bytes) -> bool:
    """Whether a file is one of torch's, by its first MAGIC_BYTES bytes."""
    return head.startswith(_ZIP) or (head[:1] == pickle.PROTO and _MAGIC in head)


def read_torch(path: Path) -> tuple[dict[str, Stored], str]:
    """The tensors of a file by name; and the name under which a checkpoint has them, empty for a state dict alone.

    Raises UnreadableWeights, OSError.
    """
    with path.open("rb") as file:
        try:
            content, places = _of_zip(file) if file.read(4) == _ZIP else _of_stream(_Bounded(file))
        except _Unread as error:
            raise UnreadableWeights(f"{path} cannot be read as a file of torch: {error}") from None
        except (*_DAMAGED, OSError) as error:
            if (
                isinstance(error, OSError) and error.errno != errno.EINVAL
            ):  # that is a place before the file's beginning
                raise
            raise UnreadableWeights(f"{path} cannot be read as a file of torch: it is cut off or damaged") from error
    under, found = _state_dict(path, content)
    for name, tensor in found.items():
        require_float(path, name, tensor.kind)
    return {name: _stored(path, name, tensor, places) for name, tensor in found.items()}, under


class _Unread(Exception):
    """What is wrong with a file; the text goes on from `cannot be read as a file of torch:`."""


# Whatever a pickle that somebody changed can do to the reader below: it indexes and unpacks what it finds.
_DAMAGED: Final = (
    zipfile.BadZipFile,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    EOFError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the numbers of a storage lie."""

    start: int
    bytes: int


def _of_zip(file: IO[bytes]) -> tuple[object, Mapping[str, _Place]]:
    with zipfile.ZipFile(file) as archive:
        members = {each.filename: each for each in archive.infolist()}
        data = next((name for name in members if name.endswith("/data.pkl")), None)
        if data is None:
            raise _Unread("it is a zip file without `data.pkl`")
        if any(each.compress_type != zipfile.ZIP_STORED for each in members.values()):
            raise _Unread("it is compressed: save it with torch, which does not compress")
        root = data.removesuffix("data.pkl")
        order = members.get(f"{root}byteorder")
        if order is not None and archive.read(order) != b"little":
            raise _Unread("it was written on a big-endian machine: save it again on another")
        content = Reader(_Bounded(BytesIO(archive.read(data)))).read()
    prefix = f"{root}data/"
    return content, {
        name.removeprefix(prefix): _Place(_start(file, each), each.file_size)
        for name, each in members.items()
        if name.startswith(prefix)
    }


def _start(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset + _LOCAL_HEADER - 4)
    name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
    return member.header_offset + _LOCAL_HEADER + name + extra


def _of_stream(file: _Bounded) -> tuple[object, Mapping[str, _Place]]:
    """Files of torch before 1.6: pickles one after the other, then each storage after its length."""
    for _ in ("the number", "the version", "the machine"):
        Reader(file).read()
    reader = Reader(file)
    content, keys = reader.read(), Reader(file).read()
    places: dict[str, _Place] = {}
    for key in cast("list[str]", keys):
        storage, count = reader.storages[key], int.from_bytes(file.read(8), "little")
        if count != storage.count:
            raise _Unread("it is cut off or damaged")
        places[key] = _Place(file.tell(), count * storage.width)
        file.seek(count * storage.width, 1)
    return content, places


# The pickle -------------------------------------------------------------------------------------


class _Nothing:
    """What stands for everything in a pickle that is neither a tensor nor plain data."""


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class _Name:
    """A class or function, by its name alone."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    kind: str
    """A key of KINDS; `U8` where the tensor says the type, and `count` is bytes."""
    count: int

    @property
    def width(self) -> int:
        return KINDS[self.kind].bytes


@dataclass(frozen=True, slots=True)
class TensorView:
    """A tensor in a pickle: numbers of a storage, with offset and strides in numbers of its kind."""

    storage: _Storage
    kind: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


_STORAGES: Final = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "UntypedStorage": "U8",
}
_DTYPES: Final = {kind.name: key for key, kind in KINDS.items()}


class _Bounded:
    """A file that makes no room for more bytes than it has left."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        file.seek(0)
        self.seek, self.tell, self.readline = file.seek, file.tell, file.readline

    def read(self, count: int) -> bytes:
        return self._file.read(min(count, max(0, self._size - self._file.tell())))


class Reader:
    """Reads one pickle as data."""

    def __init__(self, file: _Bounded) -> None:
        self.file = file
        self.storages: dict[str, _Storage] = {}
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def read(self) -> object:
        """The object. Raises _Unread, and any of _DAMAGED where it is no whole pickle."""
        for opcode, argument, _ in pickletools.genops(cast("IO[bytes]", self.file)):
            if opcode.name == "STOP":
                return self._stack[-1]
            self._take(opcode.name, argument)
        raise EOFError

    def _take(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        match opcode:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                self._marks.append(len(stack))
            case "POP" | "BUILD":  # the latter gives an object a state, and none of ours has one
                stack.pop()
            case "POP_MARK":
                self._marked()
            case "DUP":
                stack.append(stack[-1])
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                self._memo[argument] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(self._memo[argument])
            case "GLOBAL":
                stack.append(_Name(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                module, name = self._last(2)
                stack.append(_Name(module, name))
            case "REDUCE" | "NEWOBJ":
                made, given = self._last(2)
                stack.append(self._made(made, given))
            case "NEWOBJ_EX":
                self._last(3)
                stack.append(NOTHING)
            case "OBJ" | "INST":
                self._marked()
                stack.append(NOTHING)
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case "APPEND" | "SETITEM":
                self._fill(self._last(1 if opcode == "APPEND" else 2))
            case "APPENDS" | "SETITEMS" | "ADDITEMS":
                self._fill(self._marked())
            case _:
                stack.append(self._plain(opcode, argument))

    def _plain(self, opcode: str, argument: Any) -> object:
        match opcode:
            case "NONE":
                return None
            case "NEWTRUE" | "NEWFALSE":
                return opcode == "NEWTRUE"
            case "EMPTY_DICT":
                return {}
            case "EMPTY_LIST" | "EMPTY_SET":
                return []
            case "EMPTY_TUPLE":
                return ()
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                return tuple(self._last(int(opcode[-1])))
            case "TUPLE" | "FROZENSET":
                return tuple(self._marked())
            case "LIST":
                return self._marked()
            case "DICT":
                found = self._marked()
                return dict(zip(found[::2], found[1::2], strict=True))
            case _ if argument is not None:
                return argument
            case _:
                raise _Unread(f"its pickle has the instruction {opcode}, which torch does not write")

    def _last(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise EOFError
        found = self._stack[-count:]
        del self._stack[-count:]
        return found

    def _marked(self) -> list[Any]:
        mark = self._marks.pop()
        found = self._stack[mark:]
        del self._stack[mark:]
        return found

    def _fill(self, values: Sequence[Any]) -> None:
        """Adds to the list or dict on top of the stack."""
        top = self._stack[-1]
        if isinstance(top, dict):
            cast("dict[Any, Any]", top).update(zip(values[::2], values[1::2], strict=True))
        elif isinstance(top, list):
            cast("list[Any]", top).extend(values)

    def _storage(self, given: object) -> object:
        """A storage by its type, key, device and count; a last part, for one within another, is no longer written."""
        match _parts(given):
            case ["storage", _Name(name=name), str(key), _, int(count)] | [
                "storage",
                _Name(name=name),
                str(key),
                _,
                int(count),
                None,
            ] if name in _STORAGES and count >= 0:
                return self.storages.setdefault(key, _Storage(key, _STORAGES[name], count))
            case _:
                return NOTHING

    def _made(self, made: object, given: object) -> object:
        """What a call in the pickle stands for: of tensors and dicts what they hold, of all else nothing."""
        match made, _parts(given):
            case _Name("collections", "OrderedDict" | "defaultdict"), _:
                return {}
            case _Name("torch", "Size"), [size]:
                return size
            case _Name("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state"), [data, *_]:
                return data
            case (
                _Name("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" as call),
                [_Storage() as storage, int(offset), size, stride, *more],
            ):
                kind = _kind_of(more[2]) if call.endswith("v3") else storage.kind
                return TensorView(storage, kind, offset, tuple(_parts(size)), tuple(_parts(stride)))
            case _:
                return NOTHING


def _parts(value: object) -> list[Any]:
    """The parts of a tuple; of anything else none."""
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else []


def _kind_of(dtype: object) -> str:
    """As safetensors names a type: `torch.float8_e4m3fn` is F8_E4M3FN."""
    match dtype:
        case _Name("torch", name):
            return _DTYPES.get(name, name.replace("float", "F").upper())
        case _:
            raise TypeError


# Tensors ----------------------------------------------------------------------------------------


def _state_dict(path: Path, content: object) -> tuple[str, dict[str, TensorView]]:
    """The tensors by name, and the key under which they stand."""
    if tensors := _tensors(content):
        return "", tensors
    held = cast("dict[object, object]", content) if isinstance(content, dict) else {}
    found = {key: tensors for key, value in held.items() if isinstance(key, str) and (tensors := _tensors(value))}
    chosen = next((key for key in _STATE_DICTS if key in found), None)
    if chosen is None and len(found) == 1:
        (chosen,) = found
    if chosen is not None:
        return chosen, found[chosen]
    what = f"it has tensors under {', '.join(f'`{key}`' for key in found)}" if found else "it has no tensors by name"
    raise UnreadableWeights(
        f"{path} cannot be read as weights: {what}; write it by `torch.save(network.state_dict(), FILE)`"
    )


def _tensors(value: object) -> dict[str, TensorView]:
    if not isinstance(value, dict):
        return {}
    return {
        name: each
        for name, each in cast("dict[object, object]", value).items()
        if isinstance(name, str) and isinstance(each, TensorView)
    }


def _stored(path: Path, name: str, tensor: TensorView, places: Mapping[str, _Place]) -> Stored:
    place, width = places.get(tensor.storage.key), KINDS[tensor.kind].bytes
    numbers = (tensor.offset, *tensor.size, *tensor.stride)
    if (
        place is None
        or len(tensor.size) != len(tensor.stride)
        or not all(type(each) is int and each >= 0 for each in numbers)
        or (_extent(tensor) + tensor.offset) * width > place.bytes
        or place.start + place.bytes > path.stat().st_size
    ):
        raise UnreadableWeights(
            f"{path} cannot be read as a file of torch: it is cut off or damaged, for `{name}` does not lie within it"
        )
    return Stored(path, name, tensor.kind, tensor.size, partial(_numbers, path, place.start, tensor))


def _extent(tensor: TensorView) -> int:
    """How many numbers of the storage it spans."""
    if 0 in tensor.size:
        return 0
    return 1 + sum((count - 1) * step for count, step in zip(tensor.size, tensor.stride, strict=True))


def _numbers(path: Path, start: int, tensor: TensorView) -> NDArray[np.generic]:
    raw, count = np.dtype(KINDS[tensor.kind].raw), _extent(tensor)
    with path.open("rb") as file:
        file.seek(start + tensor.offset * raw.itemsize)
        found = np.fromfile(file, raw, count)
    if found.size != count:
        raise UnreadableWeights(f"{path} became shorter while it was read")
    if not count:
        return found.reshape(tensor.size)
    steps = [step * raw.itemsize for step in tensor.stride]
    return as_strided(found, tensor.size, steps, writeable=False).copy()
