"""Data sets: one file is one folder layout of pictures and masks.

Their contract and what they share is in `edgeseg.runtime.accuracy`.
"""
