"""Exit codes."""

from enum import IntEnum


class Exit(IntEnum):
    FINE = 0
    FINDINGS = 1
    """Errors in a text, a file that is not formatted, differences that were asked for."""
    USAGE = 2
    """Bad usage, an unreadable file, a request that cannot be met."""
    TOOL = 3
    """A tool of a target is missing or failed."""
    BEYOND_TOLERANCE = 4
    """Compiled, but beyond the tolerance from the torch network."""
    OURS = 70
    """An internal error."""
    INTERRUPTED = 130
