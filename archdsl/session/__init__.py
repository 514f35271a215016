"""Texts checked from memory or the disk, with what was found kept: what commands, editors and Python users call."""

from archdsl.session.files import Buffers
from archdsl.session.session import (
    SESSION,
    Checked,
    Parameter,
    Session,
    Statistics,
    Text,
    check_source,
    in_order,
    parameter,
)

__all__ = [
    "SESSION",
    "Buffers",
    "Checked",
    "Parameter",
    "Session",
    "Statistics",
    "Text",
    "check_source",
    "in_order",
    "parameter",
]
