"""Effects: one file is one way to show a frame whose classes are known.

Their contract and what they share is in `edgeseg.runtime.drawing`.
"""
