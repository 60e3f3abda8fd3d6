"""Model formats: one file is one kind of file or folder that Keras models come in.

Their contract is in `edgeseg.converter.loading.format`.
"""
