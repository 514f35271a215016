"""Many runs in one folder: a grid of parameters by seeds, worked through by any number of processes.

Needs no torch: a member of a sweep is a sequence of `archdsl` commands, each a process of its own.
"""
