"""One conversion: a request in, an int8 or float file and its figures out."""
