"""A program with open questions as a graph whose answers are mixed: what a supernet computes, without torch."""
