"""What is imported: a file, a folder, or standard input, read whole within bounds."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from archdsl.documents import MIB
from archdsl.exchange.errors import NotImported
from archdsl.files import read_whole

_ITEM: Final = re.compile(r"(?P<file>.+):(?P<item>[A-Za-z_][A-Za-z0-9_]*)", re.DOTALL)
_MARK: Final = "\ufeff"
_KIB: Final = MIB // 1024


@dataclass(frozen=True)
class Source:
    """`genotypes.py`, `genotypes.py:DARTS_V2`, or `-`."""

    file: str
    item: str | None = None
    """The one that is meant, of a file that holds several."""
    most: int = field(default=MIB)
    """So many bytes are read."""

    @classmethod
    def parse(cls, written: str) -> Source:
        match = _ITEM.fullmatch(written)
        if match and not Path(written).exists():
            return cls(match["file"], match["item"])
        return cls(written)

    @property
    def path(self) -> Path | None:
        """None for standard input."""
        return None if self.file == "-" else Path(self.file)

    @property
    def suffix(self) -> str:
        return "" if self.path is None else self.path.suffix.lower()

    @property
    def is_folder(self) -> bool:
        return self.path is not None and self.path.is_dir()

    @property
    def stem(self) -> str:
        """The name of the file as the name of an item, empty where it is none."""
        stem = "" if self.path is None else re.sub(r"[^A-Za-z0-9_]", "_", self.path.stem)
        return "" if stem[:1].isdigit() else stem

    @cached_property
    def data(self) -> bytes:
        """Raises NotImported where it is larger than any of its kind, OSError."""
        path = self.path
        data = sys.stdin.buffer.read(self.most + 1) if path is None else read_whole(path, self.most + 1)
        if len(data) > self.most:
            bound = f"{self.most // MIB} MiB" if self.most >= MIB else f"{self.most // _KIB} KiB"
            raise self.unfit(f"it has more than {bound}")
        return data

    @cached_property
    def text(self) -> str:
        """Raises NotImported where it is no UTF-8, and as `data`."""
        try:
            return self.data.decode().removeprefix(_MARK)
        except UnicodeDecodeError as error:
            raise self.unfit(f"byte {error.start + 1:,} is no UTF-8") from None

    def unfit(self, what: str, *, line: int | None = None, field: str = "") -> NotImported:
        """`genotypes.py:3: normal[4]: …`."""
        name = "standard input" if self.path is None else f"`{self.file}`"
        place = f"{name}, line {line}" if line else name
        return NotImported(f"{place}: {f'`{field}`: ' if field else ''}{what}")
