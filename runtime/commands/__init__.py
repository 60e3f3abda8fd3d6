"""The commands of the board: each parses, calls and prints."""
