"""Whether a search is robust: figures about its answers, the curvature of its loss, and when it has to stop."""
