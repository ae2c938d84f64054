"""Facts of one loop nest: tiles, orders, unrolling, cycles and traffic."""
