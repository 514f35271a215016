"""Architectures as other programs write them: read into texts, and written back where a text allows it.

A file for each format. What is read was written by somebody else: it is bounded, and nothing of it is evaluated.
"""

from archdsl.exchange.errors import NotExported, NotImported
from archdsl.exchange.exporting import EXPORTERS, exported
from archdsl.exchange.importing import IMPORTERS, Imported, Request, imported, is_free, kind_of
from archdsl.exchange.source import Source

__all__ = [
    "EXPORTERS",
    "IMPORTERS",
    "Imported",
    "NotExported",
    "NotImported",
    "Request",
    "Source",
    "exported",
    "imported",
    "is_free",
    "kind_of",
]
