"""What runs on the board: standard library only, sent over the connection.

Its modules must start on Python 3.6, which some boards have, to say there what is
wrong; hence no ``from __future__ import annotations`` and no newer syntax.
"""
