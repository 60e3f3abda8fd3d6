"""Sinks: one file is one kind of place that results go to.

Their contract and what they share is in `edgeseg.runtime.output`.
"""
