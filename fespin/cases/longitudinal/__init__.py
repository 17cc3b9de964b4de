"""Cases of longitudinal dynamics."""
