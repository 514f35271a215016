"""Mutated texts by the thousand: none may give a traceback, and none may take longer than two seconds."""
