"""Scores: how well a model does on pictures with truth, and beside another one."""
