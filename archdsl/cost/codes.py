"""The codes of this package: rows of cost tables. E0701, that a file is no table, is known to `sema` already."""

from typing import Final

MISSING_ROW: Final = "E0702"
TOO_MANY_ROWS: Final = "E0705"
