"""Known public models by name."""
