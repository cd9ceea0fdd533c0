"""Gavial: a model registry for Spark ML pipelines, on the Maven repository you already run."""

from gavial.version import __version__

__all__ = ["__version__"]
