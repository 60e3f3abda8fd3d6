"""Well-known segmentation networks, built from code, and what conversion makes of them.

``python -m edgeseg.benchmarks.studies.architectures PHOTOS RECORD.json [NAME ...]``
"""
