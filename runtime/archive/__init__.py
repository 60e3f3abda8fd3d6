"""Archives: more pictures than one machine should do, on actors of Ray.

``work`` says what there is to do, ``listing`` and ``remote_files`` find it,
``segmenting`` does a batch of it, ``cluster`` and ``actors`` spread batches over a
cluster, ``areas_table`` keeps the rows, and ``job`` is all of it together.
"""
