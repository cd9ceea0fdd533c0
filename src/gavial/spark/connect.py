"""A session of Spark Connect: what is done another way there than beside a JVM of one's own.

The driver's JVM, its files and its jars are the server's. `session.remote` is the one place that
tells such a session from a classic one.
"""

from __future__ import annotations

import importlib
import json
import platform
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pyspark
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from gavial.errors import ConfigurationError, IncompatibleModel, InvalidCoordinate
from gavial.maven.coordinate import Coordinate
from gavial.model.portable import make_portable
from gavial.model.saved_model import SavedModel
from gavial.model.saved_stage import PIPELINE_MODELS, Stage
from gavial.owner import temporary
from gavial.spark import connect_files
from gavial.spark.class_path import Found
from gavial.spark.connect_files import Server
from gavial.spark.load import has_module
from gavial.spark.schema import reason

_FIRST_WITH_ML = 4  # the major version of Spark
_JVM, _PYTHON = "org.apache.spark.", "pyspark."
# As Ivy names what `--packages` brings.
_JAR = re.compile(r"(?P<group>[^_/]+)_(?P<artifact>[^/]+)-(?P<version>\d+\.\d+\.\d+)\.jar")
_CONFS = ("spark.jars", "spark.submit.pyFiles", "spark.files")
# The modules that each session's server has by now.
_sent: WeakKeyDictionary[SparkSession, set[str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Remote:
    """A session of Spark Connect."""

    spark: SparkSession

    @contextmanager
    def saved(self, model: PipelineModel) -> Iterator[Path]:
        """A local folder with the model as the server's Spark saves it; it is gone afterwards.

        Raises:
            ConfigurationError: no folder is known that the server's hosts all reach.
            IncompatibleModel: the model cannot be saved; the message names the stage and why.
        """
        self._start()
        uri = connect_files.fresh(connect_files.folder_to_save(Server.of(self.spark)))
        with temporary("gavial-save-") as local:
            folder = local / "model"
            folder.mkdir()
            try:
                if self._save(model, uri):
                    connect_files.fetch(self.spark, uri, folder)
            finally:
                connect_files.delete(uri)
            self._describe(model, folder)
            yield make_portable(SavedModel.read(folder)).folder

    def load(self, folder: Path, class_names: Iterable[str]) -> PipelineModel:
        """Load a model that was checked before, from a copy that the server has of it.

        Raises:
            ConfigurationError: the server takes no files.
            IncompatibleModel: a class of a stage is not here, or Spark cannot read the model.
        """
        self._start()
        self._check_classes(class_names)
        uri = connect_files.send(
            self.spark, folder, connect_files.folder_to_send(Server.of(self.spark))
        )
        try:
            model: PipelineModel = _loaded(SavedModel.read(folder).root, uri)
            return model
        except Exception as error:  # Spark's, and whatever a Python-written stage raises
            raise IncompatibleModel(
                f"Spark Connect cannot load the model: {reason(error)} {self._versions()} A model "
                "that a newer Spark saved needs that one; a stage of a library needs its jar on "
                "the server, started with --packages group:artifact:version, and a place in "
                "META-INF/services there: else load the model in a classic session (spark-submit)."
            ) from error

    def found(self) -> tuple[Found, ...]:
        """What the server was started with, as far as its settings tell."""
        confs = {name: self._conf(name) for name in (*_CONFS, "spark.jars.packages")}
        packages = _split(confs.pop("spark.jars.packages"))
        listed = [str(row[0]) for row in self.spark.sql("LIST JARS").collect()]
        return started_with(
            packages, [*listed, *(one for c in confs.values() for one in _split(c))]
        )

    def send_modules(self, packed: Path) -> None:
        """Make the Python modules of a zip importable on the server's workers, and here."""
        sent = _sent.setdefault(self.spark, set())
        if packed.name not in sent:
            self.spark.addArtifacts(str(packed), pyfile=True)  # puts it onto `sys.path` as well
            sent.add(packed.name)

    def environment(self) -> dict[str, str]:
        """Spark's version, which is the server's, and this process's Python and system."""
        return {
            "spark": str(self.spark.version),
            "python": platform.python_version(),
            "os": f"{platform.system()} {platform.machine()}",
        }

    def _start(self) -> None:
        check_versions(str(pyspark.__version__), str(self.spark.version))
        # Spark's ML asks for the session of this thread, and only one that built it has any.
        kind: Any = type(self.spark)
        if kind.getActiveSession() is None:
            kind._set_default_and_active_session(self.spark)

    def _save(self, stage: Any, uri: str) -> bool:
        """Let the server save a stage; whether it has written anything.

        The metadata of a pipeline is none of its business: `_describe` writes it here. pyspark's
        own writer would make a DataFrame of it, which a newer client cannot do on an older server.
        """
        if isinstance(stage, PipelineModel):
            written = [self._save(one, f"{uri}/{name}") for name, one in _places(stage)]
            return any(written)
        try:
            stage.write().save(uri)
        except Exception as error:  # Spark's, and whatever a Python-written stage raises
            raise self._unsaved(stage, uri, error) from error
        return True

    def _unsaved(self, stage: Any, uri: str, error: Exception) -> Exception:
        """Whose fault it was: the folder's, or the stage's."""
        try:
            SQLTransformer(statement="SELECT * FROM __THIS__").write().save(f"{uri}/probe")
        except Exception as problem:
            return connect_files.unusable(uri, reason(problem))
        kind = f"{type(stage).__module__}.{type(stage).__qualname__}"
        return IncompatibleModel(
            f"The stage {stage.uid} ({kind}) cannot be saved over Spark Connect: {reason(error)} "
            f"{self._versions()}"
        )

    def _describe(self, model: PipelineModel, folder: Path) -> None:
        """Write the metadata of a pipeline and of those in it, as pyspark does."""
        for name, one in _places(model):
            if isinstance(one, PipelineModel):
                self._describe(one, folder / name)
        content = {
            "class": "pyspark.ml.pipeline.PipelineModel",
            "timestamp": int(time.time() * 1000),
            "sparkVersion": str(self.spark.version),
            "uid": model.uid,
            "paramMap": {"stageUids": [one.uid for one in model.stages], "language": "Python"},
            "defaultParamMap": {},
        }
        metadata = folder / "metadata"
        metadata.mkdir(parents=True)
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (metadata / "part-00000").write_text(f"{text}\n", encoding="utf-8")

    def _check_classes(self, class_names: Iterable[str]) -> None:
        names = dict.fromkeys(class_names)
        unknown = [one for one in names if _is_sparks(one) and not _has_class(one)]
        if unknown:
            raise IncompatibleModel(
                f"pyspark {pyspark.__version__} here has no class for {', '.join(unknown)}: over "
                "Spark Connect each stage is loaded through one. Install the pyspark-client of "
                f"the server's version, {self.spark.version}."
            )
        missing = [one for one in names if not _is_sparks(one) and not has_module(one)]
        if missing:
            raise IncompatibleModel(
                f"The model has stages of classes that are not here: {', '.join(missing)}. Over "
                "Spark Connect each stage is loaded through a Python class of its own name: "
                "install the Python module that has it, or let the author name it in "
                "gavial.deploy(…, python_modules=…). A class of a JVM library alone needs a "
                "classic session, spark-submit --packages group:artifact:version."
            )

    def _versions(self) -> str:
        client, server = str(pyspark.__version__), str(self.spark.version)
        if client == server:
            return f"Client and server are Spark {server}."
        return (
            f"The client is pyspark {client} and the server Spark {server}: where they do not get "
            f"on, install that client, pyspark-client=={server}."
        )

    def _conf(self, name: str) -> str:
        return str(self.spark.conf.get(name, "") or "")


def _places(model: PipelineModel) -> Iterator[tuple[str, Any]]:
    """The stages of a pipeline by the folder that each is saved in, as `getStagePath` names it."""
    digits = len(str(len(model.stages)))
    for index, stage in enumerate(model.stages):
        yield f"stages/{index:0{digits}d}_{stage.uid}", stage


def _loaded(stage: Stage, uri: str) -> Any:
    """What pyspark's own reader gives, without a Spark job for what the metadata here says."""
    if stage.class_name in PIPELINE_MODELS:
        return PipelineModel([_loaded(one, uri) for one in stage.children])._resetUid(stage.uid)
    module, _, name = stage.class_name.replace(_JVM, _PYTHON, 1).rpartition(".")
    return getattr(importlib.import_module(module), name).load(f"{uri}/{stage.folder}")


def check_versions(client: str, server: str) -> None:
    """Check that both sides know of Spark ML over Connect, which came with Spark 4.0.

    Raises:
        ConfigurationError: one of them is older.

    >>> check_versions("4.2.0", "4.3.0")
    """
    old = [
        f"{side} is {version}"
        for side, version in (("the client", client), ("the server", server))
        if int(version.partition(".")[0]) < _FIRST_WITH_ML
    ]
    if old:
        raise ConfigurationError(
            f"Spark Connect has had Spark ML since 4.0, and {' and '.join(old)}: bring it to the "
            "version of the other side, or use a classic session (spark-submit)."
        )


def started_with(packages: Iterable[str], jars: Iterable[str]) -> tuple[Found, ...]:
    """What may be a model, of what a server was started with; only a repository knows.

    Args:
        packages: its `--packages`, `group:artifact:version` each, selectors among them.
        jars: paths or URIs of its jars, where Ivy's names tell versions.

    >>> [str(one.coordinate) for one in started_with(
    ...     ["com.acme:churn:latest.release"], ["file:/jars/com.acme_churn-1.0.3.jar"])]
    ['com.acme:churn:1.0.3']
    """
    names = {place.rpartition("/")[2]: None for place in jars}
    found: list[Found] = []
    for package in packages:
        group, artifact, version = (*package.split(":"), "", "")[:3]
        of_ivy = re.compile(rf"{re.escape(f'{group}_{artifact}')}-(\d+\.\d+\.\d+)\.jar")
        told = list(filter(None, map(of_ivy.fullmatch, names)))
        exact = told[0][1] if told else version
        found.append(Found(_coordinate(group, artifact, exact), artifact, None))
        for one in told:
            names.pop(one.string, None)
    for match in filter(None, map(_JAR.fullmatch, names)):
        coordinate = _coordinate(*match.group("group", "artifact", "version"))
        if coordinate is not None:
            found.append(Found(coordinate, coordinate.artifact, None))
    return tuple(dict.fromkeys(found))


def _coordinate(group: str, artifact: str, version: str) -> Coordinate | None:
    """`None` where the version is a selector, or no model is called like that."""
    with suppress(InvalidCoordinate):
        return Coordinate.parse(f"{group}:{artifact}:{version}")
    return None


def _split(setting: str) -> list[str]:
    return [one.strip() for one in setting.split(",") if one.strip()]


def _is_sparks(class_name: str) -> bool:
    return class_name.startswith((_JVM, _PYTHON))


def _has_class(class_name: str) -> bool:
    """Whether pyspark has a class for one of Spark's own."""
    module, _, name = class_name.replace(_JVM, _PYTHON, 1).rpartition(".")
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False
