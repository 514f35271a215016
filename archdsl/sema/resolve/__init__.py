"""What names mean, before anything is evaluated: checks of every body, and an index of definitions and uses."""

from archdsl.sema.resolve.answers import resolution_of
from archdsl.sema.resolve.index import Definition, Index, Kind, Resolution, Use
from archdsl.sema.resolve.resolver import check_names

__all__ = ["Definition", "Index", "Kind", "Resolution", "Use", "check_names", "resolution_of"]
