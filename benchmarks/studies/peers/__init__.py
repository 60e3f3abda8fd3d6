"""Other ways to run the same network, measured in the same run: a table of peers.

What runs in a peer's own environment is in ``_workers``; it knows nothing of edgeseg.
"""
