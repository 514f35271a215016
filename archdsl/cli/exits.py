"""What a command's exit code says."""

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
    """Built, and further from the torch network than allowed."""
    OURS = 70
    """A bug of ours."""
    INTERRUPTED = 130
