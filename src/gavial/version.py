"""The version of this package. A constant, because a jar on `sys.path` has no metadata to ask."""

__version__ = "0.1.0.dev0"
