"""What is wrong with a text, as data; how it is shown; one page per code."""

from archdsl.diagnostics.model import Diagnostic, Fix, Label, Severity

__all__ = ["Diagnostic", "Fix", "Label", "Severity"]
