"""From syntax trees to a program: expressions, calls, bodies, structures and the questions they ask."""
