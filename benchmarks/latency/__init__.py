"""How long an inference takes, and whether the figure can be trusted."""
