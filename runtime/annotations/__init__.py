"""Annotations of data sets, brought to class ids: outlines, run lengths, colours."""
