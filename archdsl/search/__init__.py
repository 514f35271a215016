"""Searches: from a supernet and its logits to networks."""
