"""What keeps a sweep from being run or read."""


class NotSwept(Exception):
    """The message says what is wrong and what to do."""
