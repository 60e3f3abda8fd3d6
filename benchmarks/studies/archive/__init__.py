"""Archives: whether they stay as fast and as small, what Ray costs, and kills."""
