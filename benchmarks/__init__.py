"""Measures everything; imported by nobody."""

__all__: list[str] = []
