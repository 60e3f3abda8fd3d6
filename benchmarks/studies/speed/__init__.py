"""What edgeseg's own part of a frame costs."""
