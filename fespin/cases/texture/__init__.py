"""Cases of textured magnets."""
