"""What a pass may never hand on."""


class BrokenGraph(Exception):
    """A graph in which something is not true that always has to be: a bug of ours, never of a text."""
