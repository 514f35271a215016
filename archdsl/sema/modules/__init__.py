"""Files, what they use, and which definition a name is."""
