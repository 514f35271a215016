"""Primitives and a target of a package that is not archdsl."""
