"""Answers of a genotype, and whether they are a network of its space."""
