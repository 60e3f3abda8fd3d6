"""Records of every kind on one self-contained page."""
