"""Searches: supernets and the logits of their questions, stepped as the phases of a text say."""

from archdsl.search.run.forecast import Forecast, forecast
from archdsl.search.run.prepare import Prepared, SearchRequest, inputs_of_search, prepare
from archdsl.search.run.searching import search
from archdsl.search.run.setup import SearchSetup

__all__ = ["Forecast", "Prepared", "SearchRequest", "SearchSetup", "forecast", "inputs_of_search", "prepare", "search"]
