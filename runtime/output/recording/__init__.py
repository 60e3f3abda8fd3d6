"""Recordings that keep: dated names, pieces, retention, free space, events."""
