"""Compiled files compared with the torch network."""
