"""Folders that hold no run that can be read."""

from __future__ import annotations


class NoRun(Exception):
    """A folder without a readable run; the message names the file and the field, and says what is wrong."""
