"""Broken input by the thousand: none may give a traceback, end with 70, or take long or much memory."""
