"""A TFLite file read by the schema, and examined before an interpreter takes it.

`reading` gives the file's tables as plain values, `examination` refuses what is
damaged. Nothing here needs an interpreter.
"""
