"""What is wrong with a text, as data; how it is shown; one page per code."""

from archdsl.diagnostics.model import Diagnostic, Fix, Label, Severity
from archdsl.diagnostics.pages import page, titles
from archdsl.diagnostics.show import Style, show

__all__ = ["Diagnostic", "Fix", "Label", "Severity", "Style", "page", "show", "titles"]
