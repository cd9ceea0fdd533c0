"""A pipeline that Spark Connect saved, made readable for every language of Spark.

Over Connect it is Python that writes a pipeline's own metadata, whatever its stages are: the
class is then one of pyspark, and a Scala or Java job cannot load the model.
"""

from __future__ import annotations

import json
from typing import Any

from gavial.model import saved_metadata
from gavial.model.saved_model import SavedModel
from gavial.model.saved_stage import PIPELINE_MODELS, Stage

_OF_JVM, _OF_PYTHON = PIPELINE_MODELS
_SPARK = "org.apache.spark."


def make_portable(model: SavedModel) -> SavedModel:
    """The model with every pipeline in it as the JVM writes it, where all its stages are Spark's.

    Args:
        model: a saved model in a folder of our own, which is changed in place.
    """
    changed = [one for one in model.stages() if one.class_name == _OF_PYTHON and _is_jvms(one)]
    for stage in changed:
        _rewrite(model, stage)
    return SavedModel.read(model.folder) if changed else model


def _is_jvms(stage: Stage) -> bool:
    """Whether Scala could load a stage, were its pipelines written by the JVM."""
    if stage.class_name != _OF_PYTHON and not stage.class_name.startswith(_SPARK):
        return False
    return all(map(_is_jvms, stage.children))


def _rewrite(model: SavedModel, stage: Stage) -> None:
    folder = model.folder / stage.folder
    metadata = saved_metadata.read(folder, repr(str(folder)))
    content: dict[str, Any] = dict(metadata.content)
    parameters = {k: v for k, v in stage.parameters.items() if k != "language"}
    content |= {"class": _OF_JVM, "paramMap": parameters}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    plain = metadata.file.with_name(saved_metadata.plain_name(metadata.file.name))
    metadata.file.unlink()
    plain.write_text(f"{text}\n", encoding="utf-8")
