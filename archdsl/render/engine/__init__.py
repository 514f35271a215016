"""Pictures as files: DOT, JSON, and SVG, PNG and PDF by Graphviz."""
