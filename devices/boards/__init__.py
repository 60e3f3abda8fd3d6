"""Boards and accelerators: one file is one device that a user names."""
