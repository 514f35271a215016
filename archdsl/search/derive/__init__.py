"""Genotypes from logits, without torch: by the rules of a search, or exactly under a budget."""
