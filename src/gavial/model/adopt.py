"""Models of the Scala library `com.aamend.spark:ml-registry`, whose watermark becomes ours.

Its last stage is of a class that is not to be had any more, with the parameters `watermark` and
`watermarkCol`. Only an unpacked copy of ours is ever changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.model import saved_metadata, watermark
from gavial.model.saved_metadata import FOLDER
from gavial.model.saved_model import SavedModel, parameter

FOREIGN = "com.aamend.spark.ml.Watermark"
_OURS = "org.apache.spark.ml.feature.SQLTransformer"


def adopt(model: SavedModel, coordinate: Coordinate | None) -> SavedModel:
    """The model with a watermark of ours where it has that library's; else the model itself.

    Args:
        model: a saved model in a folder of our own, which is changed in place.
        coordinate: which release it is, to be named by each record. Where that is not known, it
            stays what the stage said.

    Raises:
        IncompatibleModel: what the stage says cannot be a watermark of ours.
    """
    children = model.root.children
    if not children or children[-1].class_name != FOREIGN:
        return model
    old = children[-1]
    value = str(coordinate or parameter(old, "watermark"))
    column = str(parameter(old, "watermarkCol") or watermark.DEFAULT_COLUMN)
    try:
        statement = watermark.statement(value, column)
    except ConfigurationError as error:
        raise IncompatibleModel(
            f"The watermark of stage {old.uid} is not usable: {error}"
        ) from error
    uid = watermark.UID_PREFIX + hashlib.sha256(old.uid.encode()).hexdigest()[:12]
    content = {
        "class": _OURS,
        "timestamp": 0,
        "sparkVersion": old.spark_version,
        "uid": uid,
        "paramMap": {"statement": statement},
        "defaultParamMap": {},
    }
    folder = model.folder / old.folder
    shutil.rmtree(folder)
    _write(folder.with_name(f"{folder.name.partition('_')[0]}_{uid}"), content)
    root = dict(saved_metadata.read(model.folder, repr(str(model.folder))).content)
    uids = [*(child.uid for child in children[:-1]), uid]
    root["paramMap"] = {**root["paramMap"], "stageUids": uids}
    _write(model.folder, root)
    return SavedModel.read(model.folder)


def _write(stage: Path, content: dict[str, Any]) -> None:
    """Write a stage's metadata in the place of what was there, checksums of it included."""
    metadata = stage / FOLDER
    shutil.rmtree(metadata, ignore_errors=True)
    metadata.mkdir(parents=True)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (metadata / "part-00000").write_text(f"{text}\n", encoding="utf-8")
