"""Compilers of chips, one a file; `edgeseg compile` takes a device that names one."""
