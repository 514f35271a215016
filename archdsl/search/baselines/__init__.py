"""Baselines of searches: strategies that propose genotypes and are told how accurate each is. Without torch."""
