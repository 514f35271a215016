"""From syntax tree to checked meaning: names, arity, shapes through every choice, membership."""
