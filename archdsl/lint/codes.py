"""The codes of this package: settings of a project, and warnings."""

from typing import Final

BAD_SETTINGS: Final = "E0030"

UNUSED_ALLOW: Final = "W0001"
UNKNOWN_RULE: Final = "W0002"
MALFORMED_COMMENT: Final = "W0003"

SHADOWING: Final = "W0201"
UNUSED_IMPORT: Final = "W0202"
UNUSED_OP: Final = "W0203"
UNUSED_OPS: Final = "W0204"
UNUSED_CELL: Final = "W0205"
UNUSED_PARAMETER: Final = "W0206"
UNUSED_COST: Final = "W0207"
UNUSED_LINE: Final = "W0208"
