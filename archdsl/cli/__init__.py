"""The command line: thin commands over the packages."""

from archdsl.cli.main import main

__all__ = ["main"]
