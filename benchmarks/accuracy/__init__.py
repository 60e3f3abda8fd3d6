"""Scores of a model, and of a reference to hold it against."""
