"""Programs to start from: each runs as it stands and is copied and changed."""
