"""Names, order and form of every body, before anything is evaluated."""
