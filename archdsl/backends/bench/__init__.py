"""Compiled files timed."""
