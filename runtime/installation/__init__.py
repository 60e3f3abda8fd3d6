"""Models on a board: installed by name, tried first, taken back if they fall short."""
