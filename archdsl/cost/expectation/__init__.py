"""The expected cost of a space whose questions are answered at random, each by itself: exact, and differentiable."""
