"""What keeps a baseline from running."""

from __future__ import annotations


class NoCandidate(Exception):
    """No genotype of the space can be proposed as asked; the text says why, and what to do."""
