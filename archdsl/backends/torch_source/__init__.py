"""Standalone torch files that read as if written by hand."""
