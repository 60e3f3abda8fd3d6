"""What a chip's own compiler is given, how it is run, and what it answers."""
