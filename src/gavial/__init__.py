"""Gavial: a model registry for Spark ML pipelines, on the Maven repository you already run.

Public names are imported when they are first used: `import gavial` costs little, and needs
nothing that is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gavial import errors, twins
from gavial.version import __version__

if TYPE_CHECKING:
    from gavial import streaming as streaming
    from gavial.maven.coordinate import Coordinate as Coordinate
    from gavial.maven.coordinate import Module as Module
    from gavial.maven.coordinate import Version as Version
    from gavial.model.dataset import Dataset as Dataset
    from gavial.monitoring.route import Route as Route
    from gavial.registry.approve import approve as approve
    from gavial.registry.catalog import ModelRepository as ModelRepository
    from gavial.registry.catalog import repository as repository
    from gavial.registry.deploy import deploy as deploy
    from gavial.registry.diff import diff as diff
    from gavial.registry.lookup import lookup as lookup
    from gavial.registry.monitor import monitor as monitor
    from gavial.registry.promote import promote as promote
    from gavial.registry.release import Release as Release
    from gavial.registry.resolve import available as available
    from gavial.registry.resolve import coordinate as coordinate
    from gavial.registry.resolve import resolve as resolve
    from gavial.registry.run_route import run_route as run_route
    from gavial.registry.spark_conf import spark_conf as spark_conf
    from gavial.spark.comparing.compare import compare as compare
    from gavial.spark.monitoring.labels import Labels as Labels
    from gavial.spark.versioned_pipeline import VersionedPipeline as VersionedPipeline

_HOMES = {
    "Coordinate": "gavial.maven.coordinate",
    "Dataset": "gavial.model.dataset",
    "ModelRepository": "gavial.registry.catalog",
    "Labels": "gavial.spark.monitoring.labels",
    "Module": "gavial.maven.coordinate",
    "Release": "gavial.registry.release",
    "Route": "gavial.monitoring.route",
    "Version": "gavial.maven.coordinate",
    "VersionedPipeline": "gavial.spark.versioned_pipeline",
    "approve": "gavial.registry.approve",
    "available": "gavial.registry.resolve",
    "compare": "gavial.spark.comparing.compare",
    "coordinate": "gavial.registry.resolve",
    "deploy": "gavial.registry.deploy",
    "diff": "gavial.registry.diff",
    "lookup": "gavial.registry.lookup",
    "monitor": "gavial.registry.monitor",
    "promote": "gavial.registry.promote",
    "repository": "gavial.registry.catalog",
    "resolve": "gavial.registry.resolve",
    "run_route": "gavial.registry.run_route",
    "spark_conf": "gavial.registry.spark_conf",
}

_MODULES = ("streaming",)

__all__ = ["__version__", "errors", *_MODULES, *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"gavial.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'gavial' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


twins.warn()
