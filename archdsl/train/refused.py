"""A training that cannot be."""


class Refused(Exception):
    """The text says why it cannot begin, and what to change."""
