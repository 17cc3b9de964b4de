"""Case files: their tables, what is refused before anything is meshed, and how they are run."""
