"""The formatter (canonical form of texts) and the printer of ASTs."""

from archdsl.fmt.formatter import Formatted, format, format_source
from archdsl.fmt.printer import print_file, print_item

__all__ = ["Formatted", "format", "format_source", "print_file", "print_item"]
