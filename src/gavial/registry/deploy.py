"""From a fitted or saved model to a release."""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gavial import limits
from gavial.errors import ConfigurationError, IncompatibleModel, UnsafeModel
from gavial.maven import layout, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Library, Target, Version
from gavial.maven.drive import Driver, Transferred
from gavial.maven.pom import Pom, pom_properties
from gavial.maven.repository import Repository
from gavial.model import bom, columns, jar, metadata_xml, python_module, safety, stamp
from gavial.model.card import Card, File, stages_of
from gavial.model.compatibility import check_freeze
from gavial.model.dataset import Dataset
from gavial.model.saved_model import SavedModel
from gavial.monitoring.profile import Reference
from gavial.owner import temporary
from gavial.registry import facts, git, local, parts, places, referenced, runtime, seals
from gavial.registry.pending import Notes
from gavial.registry.release import Release
from gavial.registry.succession import Succession
from gavial.registry.warn import warn
from gavial.version import __version__

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel, Transformer
    from pyspark.sql import DataFrame


def deploy(
    model: Transformer | str | os.PathLike[str],
    gav: str,
    repository: str | os.PathLike[str] | None = None,
    *,
    metrics: Mapping[str, float] | None = None,
    input_example: DataFrame | None = None,
    description: str = "",
    owner: str = "",
    intended_use: str = "",
    limits: str = "",
    licence: str = "",
    labels: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    training_data: DataFrame | Dataset | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    metrics_on: DataFrame | Dataset | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    requires: Sequence[str] = (),
    python_modules: Sequence[str] = (),
    watermark_col: str | None = None,
    allow: str = "",
    freeze: Sequence[str] = (),
    reference: DataFrame | Reference | None = None,
    label: str = "",
    prediction: str = "",
    score: str = "",
    time: str = "",
    reference_edges: str = referenced.MAJOR,
    sign: str | os.PathLike[str] | None = None,
    gpg: str | None = None,
    progress: Transferred | None = None,
) -> Release:
    """Release a model under the next build of its line. The caller's model stays as it is.

    Args:
        model: a fitted `PipelineModel`, another fitted Spark ML model (wrapped in one; of a
            cross-validated one the best), or the path of a saved `PipelineModel`.
        gav: `group:artifact:major.minor` for the next build of that line; `group:artifact`
            means the line 1.0, and all three numbers mean that very version.
        repository: a configured id, a URL or a folder; `None` is the configured default.
        metrics: what the model achieved, by name, such as `{"auc": 0.87}`.
        input_example: some records that the model scores: the first 20, what a live model makes
            of them and the schemas of input and output go into the model card, for everybody who
            may read the repository.
        description: one sentence for the POM and the card.
        owner: who answers for the model.
        intended_use: what it is for, and for whom.
        limits: what it is not for, and where it is known to fail.
        licence: its SPDX identifier, such as `"Apache-2.0"`.
        labels: further facts for the card.
        fields: further facts that are no texts: JSON values by name.
        training_data: what the model was fitted on: a DataFrame, a path, the name of a table, a
            `gavial.Dataset` of one, or what is known, such as `{"source": "s3://…"}`. Its rows
            are counted, by a Spark job over all of it.
        metrics_on: what `metrics` were measured on, likewise.
        requires: JVM libraries that the model's stages need, as `group:artifact:version`.
        python_modules: top-level Python modules that its Python-written stages need: they
            travel in the jar.
        watermark_col: add a watermark under this name to a live model without one.
        allow: why a build or a minor is released that whoever uses the one before it cannot take.
            The card shows it.
        freeze: parameters that no build may change, such as `"LogisticRegression.regParam"` or
            `"*.maxIter"`.
        reference: records that the model scored, or can score, and was not fitted on: what they
            are like is frozen into the release, as what later ones are compared with. Or a
            `Reference` that `gavial.spark.monitoring.reference.learn` made.
        label: the column of `reference` with what came true.
        prediction: the column with what the model says; "" is Spark's `prediction`, if any.
        score: the column with the probability of the positive class, or the vector of all; "" is
            Spark's `probability`, if any.
        time: the column that says when a record of `reference` was.
        reference_edges: `"major"` counts in the bins of the newest release of the same major, so
            that versions can be compared; `"new"` learns them again.
        sign: the file of a private key (elliptic curve, PEM) that signs the release; `None` is
            the configured one, if any.
        gpg: a key of gpg's, for an `.asc` beside each file.
        progress: called with a file's path, the bytes that went since the last call, and its
            size in bytes.

    Raises:
        InvalidCoordinate: `gav` is malformed, or names no line and there is one after 1.0.
        ReleaseExists: the exact version asked for is released, or its number taken.
        IncompatibleModel: the model is not fitted, cannot be saved, has stages whose code would
            not travel with it, or may be no build or minor of its line (docs/how-to/versions.md).
        RepositoryError: the repository cannot be reached or does not let us write.
        ConfigurationError: there is no such repository, or an argument does not fit.

    >>> deploy("saved/churn", "com.acme:churn:1.0", repository="models")  # doctest: +SKIP
    """
    target = Target.parse(gav)
    given = referenced.Records(reference, label, prediction, score, time, reference_edges)
    libraries = tuple(Library.parse(one) for one in requires)
    modules: dict[str, Path] = {}
    for name in python_modules:
        modules |= python_module.find(name)
    sealed = seals.Seals.of(target.module, sign, gpg)
    store = places.open_named(repository)
    succession = Succession(store, allow.strip(), check_freeze(freeze))
    live = not isinstance(model, str | os.PathLike)
    about = Card(
        coordinate=str(target.module),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        description=description,
        intended_use=intended_use,
        limits=limits,
        owner=owner,
        fields=facts.free(fields or {}, "fields"),
        training_data=facts.data(training_data, "training_data", live=live),
        metrics_on=facts.data(metrics_on, "metrics_on", live=live),
        script=facts.script(Path.cwd()),
        labels=dict(labels or {}),
        metrics=_metrics(metrics or {}),
        author=local.user_name(),
        libraries=tuple(map(str, libraries)),
        python_modules=tuple(python_modules),
        runtime={
            "coordinate": str(runtime.library()),
            "sha256": runtime.files().files[0][1].digests["sha256"],
        },
    )
    with contextlib.ExitStack() as stack:
        folder, observed, loaded = stack.enter_context(_saved(model, watermark_col, input_example))
        saved = SavedModel.read(folder)
        safety.check_classes(saved, python_modules=python_modules, libraries=about.libraries)
        _warn_of_sql(saved)
        observed["metrics"] = {**observed.get("metrics", {}), **about.metrics}
        about = replace(about, **observed)
        work = stack.enter_context(temporary("gavial-deploy-"))
        learnt = referenced.learnt(given, target, store, saved, loaded)
        job = _Deploy(
            saved,
            about,
            licence,
            libraries,
            modules,
            store,
            work,
            succession,
            progress,
            sealed,
            learnt,
        )
        return Release.read(store, job.run(target))


@dataclass
class _Deploy:
    """One deploy under way: what is the same for every number that it tries."""

    model: SavedModel
    about: Card
    licence: str
    libraries: tuple[Library, ...]
    modules: Mapping[str, Path]
    store: Repository
    work: Path
    succession: Succession
    progress: Transferred | None
    seals: seals.Seals
    reference: Reference | None = None
    found: tuple[bom.Part, ...] | None = None
    commit: git.Commit | None = field(default_factory=lambda: git.describe(Path.cwd()))

    def run(self, target: Target) -> Coordinate:
        self.check(target)
        self.contents = self.model.read_through()
        self.digest = self.contents.digest
        self.token = secrets.token_hex(16)
        what = (self.store.url, str(target), self.digest, *self.seals.names)
        notes = Notes(local.state_folder(), *what)
        driver = Driver(self.store, self.pack, self.progress)
        runtime.bring(self.store)
        runtime.warn_of_overwriting(self.store, runtime.library(), runtime.files().pom)
        finished: list[Coordinate] = []
        for token, numbers in notes.left():
            order = self.order(token)
            finished += [one for one in numbers if driver.run(publish.finish(order, one))]
        if finished:
            return finished[-1]
        with notes.note(self.token) as note:

            def claim(coordinate: Coordinate) -> bytes:
                note.add(coordinate)
                return self.claim(coordinate)

            order = replace(self.order(self.token), claim=claim)
            return driver.run(publish.publish(order, target))

    def check(self, target: Target) -> None:
        """Refuse what could not be described, before a number is taken for it."""
        self.digest = ""
        card = self.card(Coordinate(target.module, Version(0, 0, 0)), {})
        try:
            card.to_json()
        except ValueError as error:
            raise ConfigurationError(f"The model card cannot be written: {error}.") from error
        # The claim holds the same parameters, each with its description.
        size = len(json.dumps(card.pipeline))
        if 4 * size > limits.SMALL_FILE:
            raise IncompatibleModel(
                f"The parameters of this model's stages take {size} bytes, more than readers "
                "take. Keep data in what a stage learnt, not in a parameter."
            )
        self.succession.of(target, card)

    def order(self, token: str) -> publish.Order:
        return publish.Order(token, self.store.lists_itself, self.claim, _token_of)

    def claim(self, coordinate: Coordinate) -> bytes:
        return metadata_xml.render(self.model, coordinate, token=self.token, digest=self.digest)

    def pack(self, coordinate: Coordinate) -> protocol.Packed:
        """Stamp, pack and describe the model under one number."""
        pom = self.pom(coordinate).render()
        place = self.work / "model.jar"
        try:
            packed = jar.pack(
                place,
                self.model,
                coordinate,
                overlay=stamp.overlay(self.model, coordinate),
                python_files=self.modules,
                pom=pom,
                pom_properties=pom_properties(coordinate),
                libraries=self.about.libraries,
                prints=self.contents.prints,
                progress=self.packing(),
            )
        except OSError as error:
            raise ConfigurationError(
                f"The jar of {coordinate} cannot be made in {self.work.parent}: "
                f"{error.strerror or error}. Nothing was released. Make room there, or set TMPDIR "
                "to another folder."
            ) from error
        files = {
            layout.jar_path(coordinate): packed,
            layout.claim_path(coordinate): Content.of_bytes(self.claim(coordinate)),
            layout.pom_path(coordinate): Content.of_bytes(pom),
        }
        described = self.card(coordinate, files)
        # Again, now that the number is ours: another build may have been released meanwhile.
        target = Target(coordinate.module, coordinate.version.key())
        described = replace(described, replaces=self.succession.of(target, described))
        files[layout.bom_path(coordinate)] = Content.of_bytes(self.materials(described, files))
        if self.reference is not None:
            path = layout.reference_path(coordinate)
            files[path] = referenced.content(self.reference, coordinate)
        described = replace(described, files=_listed(files))
        files[layout.card_path(coordinate)] = Content.of_bytes(described.to_json())
        # The claim went up before, and the POM goes last.
        first = (layout.claim_path(coordinate), layout.pom_path(coordinate))
        return protocol.Packed(
            (
                *((path, content) for path, content in files.items() if path not in first),
                *self.seals.beside(coordinate, files),
            ),
            files[layout.pom_path(coordinate)],
        )

    def packing(self) -> Callable[[int], None] | None:
        if self.progress is None:
            return None
        size = sum(path.stat().st_size for _, path in self.model.files())
        return partial(_shown, self.progress, size)

    def card(self, coordinate: Coordinate, files: Mapping[str, Content]) -> Card:
        mark = stamp.watermark_of(self.model)
        stages = stages_of(self.model, coordinate)
        flow = columns.flow(stages)
        given = self.about.input_schema or (self.about.training_data or {}).get("schema")
        return replace(
            self.about,
            coordinate=str(coordinate),
            description=self.about.description or self.described(),
            pipeline=stages,
            inputs=columns.inputs(flow, given),
            outputs=columns.outputs(flow, self.about.output_schema, given),
            watermark=mark[1].column if mark else None,
            environment={
                "spark": self.model.root.spark_version,
                **self.about.environment,
                "gavial": __version__,
            },
            git=None
            if self.commit is None
            else {
                "commit": self.commit.id,
                "dirty": self.commit.dirty,
                "remote": self.commit.remote,
            },
            digest=self.digest,
            files=_listed(files),
        )

    def materials(self, card: Card, files: Mapping[str, Content]) -> bytes:
        jar_path = layout.jar_path(Coordinate.parse(card.coordinate))
        said = json.loads(card.to_json())
        said["intended_use"] = card.intended_use or card.description
        return bom.render(
            said,
            self.parts(card),
            jar_sha256=files[jar_path].digests["sha256"],
            licence=self.licence,
            version=__version__,
        )

    def parts(self, card: Card) -> tuple[bom.Part, ...]:
        """What the model needs: looked for once, since it is the same for every number."""
        if self.found is None:
            self.found = parts.of(self.store, card.environment, self.libraries, self.modules)
        return self.found

    def pom(self, coordinate: Coordinate) -> Pom:
        remote = self.commit.remote if self.commit else ""
        return Pom(
            coordinate,
            self.about.description or self.described(),
            dependencies=(runtime.library(), *self.libraries),
            licence=self.licence,
            owner=self.about.owner or self.about.author,
            scm=remote,
        )

    def described(self) -> str:
        names = [stage.class_name.rpartition(".")[2] for stage in self.model.root.children]
        return f"Spark ML pipeline: {', '.join(names)}."


@contextlib.contextmanager
def _saved(
    model: Transformer | str | os.PathLike[str],
    watermark_col: str | None,
    input_example: DataFrame | None,
) -> Iterator[tuple[Path, dict[str, Any], Callable[[], PipelineModel]]]:
    """The folder of the saved model, what is known beside what is in it, and the model to score."""
    if isinstance(model, str | os.PathLike):
        if watermark_col is not None:
            raise ConfigurationError(
                "watermark_col adds a watermark to a live model; a saved directory is released as "
                "it is. Fit a gavial.VersionedPipeline, or load the model and deploy that."
            )
        if stamp.watermark_of(SavedModel.read(Path(model))) is None:
            _warn_unstamped()
        yield Path(model), _example(None, input_example), partial(_loaded, Path(model))
        return
    from gavial.spark import environment, save, session, watermark

    spark = session.current()  # a model whose session is gone answers nothing
    live = watermark.as_pipeline_model(model)
    mark = watermark.watermark_of(live)
    column = watermark_col or (mark.column if mark else None)
    if mark is None:
        if watermark_col is None:
            _warn_unstamped()
        else:
            live = watermark.with_watermark(live, watermark_col)
    elif watermark_col is not None and watermark_col != mark.column:
        live = watermark.renamed(live, watermark_col)
    observed = {
        **_example(live, input_example, column),
        "environment": environment.describe(spark),
        "metrics": watermark.metrics_of(model),
    }
    with save.saved(live) as folder:
        yield folder, observed, lambda: live


def _loaded(folder: Path) -> PipelineModel:
    """A saved model of the caller's own, which scores the records of a reference."""
    from gavial.spark import load

    return load.load(folder, [one.class_name for one in SavedModel.read(folder).stages()])


def _example(model: Any, example: DataFrame | None, watermark: str | None = None) -> dict[str, Any]:
    if example is None:
        return {}
    from gavial.spark import golden, schema

    given = schema.of_dataframe(example)
    made = schema.output_schema(model, example) if model is not None else None
    rows = tuple(schema.rows(example, 20))
    facts.bounded(rows, "input_example")
    found = {"input_schema": given, "output_schema": made, "input_example": rows}
    if model is None:
        return found
    try:
        sample = golden.score(model, rows, given, watermark).to_json()
    except IncompatibleModel as error:
        warn(f"The card has no predictions to compare with later. {error}")
        return found
    facts.bounded(sample, "what the model makes of input_example")
    return {**found, "golden": sample}


def _metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    try:
        values = {str(name): float(value) for name, value in metrics.items()}
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"metrics={dict(metrics)!r}: expected numbers by name, such as {{'auc': 0.87}}."
        ) from error
    for name, value in values.items():
        if not math.isfinite(value):
            raise ConfigurationError(f"The metric {name!r} is {value}: expected a finite number.")
    return values


def _listed(files: Mapping[str, Content]) -> tuple[File, ...]:
    return tuple(
        File(path.rpartition("/")[2], content.size, content.digests["sha256"])
        for path, content in files.items()
    )


def _token_of(claim: bytes) -> str | None:
    found = metadata_xml.read_claim(claim)
    return found.token if found else None


def _shown(progress: Transferred, size: int, count: int) -> None:
    progress("packing", count, size)


def _warn_unstamped() -> None:
    warn(
        "This model has no watermark, so the records that it scores will not name its version. Fit "
        'a gavial.VersionedPipeline, or pass watermark_col="pipeline".'
    )


def _warn_of_sql(model: SavedModel) -> None:
    try:
        safety.check_sql(model)
    except UnsafeModel as error:
        warn(f"Whoever resolves this model must pass allow_sql=True. {error}")
