"""Sources: one file is one kind of place that frames come from.

Their contract and what they share is in `edgeseg.runtime.capture`.
"""
