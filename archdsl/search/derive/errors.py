"""What keeps a genotype from being derived."""

from __future__ import annotations


class NotDerived(Exception):
    """No genotype follows from these logits; the text says why, and what to do."""
