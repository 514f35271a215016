"""What each kind of picture shows: cells, chains, networks, grids and differences."""
