"""What is said of a file that cannot be read as an architecture, and of a text that a format cannot say."""


class NotImported(Exception):
    """A file that is none of its format, or says what no text can; the text has the place and what to do."""


class NotExported(Exception):
    """A text that a format has no words for; the message names what it lacks."""
