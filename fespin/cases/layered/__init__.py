"""Cases of layers: their tables, checks and transport."""
