"""The watermark of a saved model, and the metadata file that stamps it with a release.

Stamping never edits anybody's folder: it yields the file that differs, for the jar.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from gavial.errors import IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.model import saved_metadata, watermark
from gavial.model.saved_model import SavedModel, parameter
from gavial.model.saved_stage import Stage
from gavial.model.watermark import Watermark


def watermark_of(model: SavedModel) -> tuple[Stage, Watermark] | None:
    """The stage that stamps records, and what it writes; `None` where a model has none.

    Raises:
        IncompatibleModel: a watermark is nested or not last, so that what it writes would not
            name the release.
    """
    children = model.root.children
    last = _read(children[-1]) if children else None
    for stage in model.stages():
        if _read(stage) and (last is None or stage is not children[-1]):
            raise IncompatibleModel(
                f"Stage {stage.uid} in {stage.folder!r} is a watermark, but not the last stage of "
                "the whole pipeline: its records would name another release, or lose the column. "
                "Put the inner pipeline's stages into a plain Pipeline, and let the outermost be "
                "the VersionedPipeline."
            )
    return (children[-1], last) if last else None


def overlay(model: SavedModel, coordinate: Coordinate) -> dict[str, bytes | None]:
    """The files of a model that differ once it is stamped: new bytes by relative path.

    A path whose value is `None` is left out: the metadata was compressed, and the new file is
    plain text under another name. Empty for a model without a watermark.
    """
    found = watermark_of(model)
    if found is None:
        return {}
    stage, mark = found
    where = f"{stage.folder!r} of {str(model.folder)!r}"
    metadata = saved_metadata.read(model.folder / stage.folder, where)
    stamped = watermark.statement(str(coordinate), mark.column)
    content = metadata.content | {"paramMap": {**stage.parameters, "statement": stamped}}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
    old = PurePosixPath(stage.metadata_file)
    new = old.with_name(saved_metadata.plain_name(old.name))
    files: dict[str, bytes | None] = {str(new): text.encode()}
    if new != old:
        files[str(old)] = None
    return files


def statements(model: SavedModel, coordinate: Coordinate) -> dict[str, str]:
    """The watermark's statement once it is stamped, by its stage's folder."""
    found = watermark_of(model)
    if found is None:
        return {}
    stage, mark = found
    return {stage.folder: watermark.statement(str(coordinate), mark.column)}


def _read(stage: Stage) -> Watermark | None:
    if not stage.class_name.endswith(".ml.feature.SQLTransformer"):
        return None
    statement = parameter(stage, "statement")
    if not watermark.is_uid(stage.uid) or not isinstance(statement, str):
        return None
    return watermark.parse_statement(statement)
