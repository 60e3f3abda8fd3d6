"""Photos to calibrate with, chosen and checked."""
