"""Cost tables filled: rows and whole networks timed in the runtime that is to be predicted.

All subjects are timed in every round, in a new order, with a discarded call after each switch. Samples are kept in a
file beside the table, so that what was measured survives however the process ends.
"""
