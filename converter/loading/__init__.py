"""Keras model files of every format to one flat Keras model of fixed shape.

``load`` asks the ``formats`` in turn. They read a file with ``savedmodel`` or
``release``, check it with ``trust`` and translate what other versions of Keras wrote
with ``mending``; ``input_size`` then rebuilds the network for one picture.
"""
