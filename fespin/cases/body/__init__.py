"""Cases of one homogeneous body: its table and its mesh."""
