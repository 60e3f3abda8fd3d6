"""Studies: what made the figures that the READMEs quote.

They are no part of the wheel. From a checkout, ``pip install -e '.[convert]'``, then
``python -m edgeseg.benchmarks.studies.NAME``; each study's own text has its arguments.
"""
