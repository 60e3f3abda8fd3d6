"""A conversion on one self-contained page."""
