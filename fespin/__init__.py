"""fespin."""
