"""One stage of a saved model and the stages in it, found by their folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import IncompatibleModel
from gavial.model import saved_metadata
from gavial.model.saved_metadata import FOLDER, Metadata, is_hidden

PIPELINE_MODELS = ("org.apache.spark.ml.PipelineModel", "pyspark.ml.pipeline.PipelineModel")
PIPELINES = ("org.apache.spark.ml.Pipeline", "pyspark.ml.pipeline.Pipeline")
TUNING_MODELS = tuple(
    f"{package}.ml.tuning.{name}"
    for package in ("org.apache.spark", "pyspark")
    for name in ("CrossValidatorModel", "TrainValidationSplitModel")
)
# Folders that a fitted stage of Spark's own writes; every other `…Model` of it writes `data`.
_CONTENT = {
    "PipelineModel": (),
    "CrossValidatorModel": ("bestModel", "estimator", "evaluator"),
    "TrainValidationSplitModel": ("bestModel", "estimator", "evaluator"),
    "OneVsRestModel": ("classifier",),
    "ALSModel": ("userFactors", "itemFactors"),
    "RFormulaModel": ("data", "pipelineModel"),
    "DistributedLDAModel": ("oldModel",),
}
_OLD_LIBRARY = "org.apache.spark.mllib."  # `oldModel` of an LDA model: no stage of a pipeline


@dataclass(frozen=True)
class Stage:
    """One stage as it was saved.

    `folder` and `metadata_file` are relative to the model, with forward slashes, "" for the
    root. `language` is "Python" where the stage was written by Python and says so.
    `parameters` were set by somebody, `defaults` are the class's own.
    """

    folder: str
    uid: str
    class_name: str
    language: str | None
    parameters: Mapping[str, Any]
    defaults: Mapping[str, Any]
    spark_version: str
    metadata_file: str
    children: tuple[Stage, ...] = ()


def read(model: Path) -> Stage:
    """Read the stage that a folder holds, and all stages in it.

    Raises:
        IncompatibleModel: the folder is no saved stage, or half of one.
    """
    return _read(model, model, 0)


def _read(folder: Path, model: Path, depth: int) -> Stage:
    where = _where(folder, model)
    if depth > limits.STAGE_DEPTH:
        raise IncompatibleModel(f"{where} is nested more than {limits.STAGE_DEPTH} stages deep.")
    metadata = saved_metadata.read(folder, where)
    return _stage(folder, model, metadata, depth)


def _stage(folder: Path, model: Path, metadata: Metadata, depth: int) -> Stage:
    where = _where(folder, model)
    class_name, uid = metadata.text("class"), metadata.text("uid")
    if not class_name or not uid:
        missing = "class" if not class_name else "uid"
        raise IncompatibleModel(f"{where} is not a saved stage: its metadata names no {missing}.")
    if not (class_name + uid).isprintable():
        raise IncompatibleModel(f"{where} has control characters in its uid {uid!r} or class.")
    parameters = metadata.mapping("paramMap")
    if class_name in (*PIPELINE_MODELS, *PIPELINES):
        children = _pipeline_stages(folder, model, parameters, depth)
    else:
        children = tuple(_found(folder, model, depth))
    _check_content(folder, class_name, metadata, where)
    language = parameters.get("language")
    return Stage(
        folder=folder.relative_to(model).as_posix() if folder != model else "",
        uid=uid,
        class_name=class_name,
        language=language if isinstance(language, str) else None,
        parameters=parameters,
        defaults=metadata.mapping("defaultParamMap"),
        spark_version=metadata.text("sparkVersion"),
        metadata_file=metadata.file.relative_to(model).as_posix(),
        children=children,
    )


def _pipeline_stages(
    folder: Path, model: Path, parameters: Mapping[str, Any], depth: int
) -> tuple[Stage, ...]:
    """The stages of a pipeline in its order: `stages/<index>_<uid>`, as `getStagePath` names."""
    where = _where(folder, model)
    uids = parameters.get("stageUids")
    if not isinstance(uids, list) or not all(_is_name(uid) for uid in uids):
        raise IncompatibleModel(f"{where} is a pipeline whose metadata does not list its stages.")
    digits = len(str(len(uids)))
    names = [f"{index:0{digits}d}_{uid}" for index, uid in enumerate(uids)]
    parent = folder / "stages"
    there = {path.name for path in parent.iterdir()} if parent.is_dir() else set()
    missing = [name for name in names if name not in there]
    if missing:
        raise IncompatibleModel(
            f"{where} is half a model: of its {len(uids)} stages, {_some(missing)} not there. "
            "Save or copy it again."
        )
    extra = sorted(name for name in there - set(names) if not is_hidden(name))
    if extra:
        raise IncompatibleModel(
            f"{where} has in its folder 'stages' what its metadata does not list: {extra[:3]}. "
            "Save the model again into an empty folder."
        )
    stages = tuple(_read(parent / name, model, depth + 1) for name in names)
    for stage in stages:
        if stage.class_name in PIPELINES:
            raise IncompatibleModel(
                f"Stage {stage.uid} is a pipeline that was not fitted ({stage.class_name}): save "
                "what pipeline.fit(df) returns."
            )
    return stages


def _found(folder: Path, model: Path, depth: int) -> list[Stage]:
    """The stages anywhere below a folder, each with those below it: whoever wrote them."""
    if depth > limits.STAGE_DEPTH:
        raise IncompatibleModel(f"{_where(folder, model)} is nested too deeply.")
    found: list[Stage] = []
    for path in sorted(folder.iterdir(), key=lambda path: _natural(path.name)):
        if not path.is_dir():
            continue
        if path.name.lower() == FOLDER:
            if path.name != FOLDER:
                raise IncompatibleModel(
                    f"{_where(path, model)} differs from {FOLDER!r} only in case: on other "
                    "systems it would be read as that."
                )
            continue
        stage = _read_below(path, model, depth + 1)
        found.extend([stage] if stage else _found(path, model, depth + 1))
    return found


def _read_below(path: Path, model: Path, depth: int) -> Stage | None:
    """The stage in a folder; `None` where the folder is none."""
    inner = path / FOLDER
    if not inner.is_dir() or not any(one.name.startswith("part-") for one in inner.iterdir()):
        return None
    metadata = saved_metadata.read(path, _where(path, model))
    if not metadata.text("uid") and metadata.text("class").startswith(_OLD_LIBRARY):
        return None
    return _stage(path, model, metadata, depth)


def _check_content(folder: Path, class_name: str, metadata: Metadata, where: str) -> None:
    """What a fitted stage learnt is there."""
    name = class_name.rpartition(".")[2]
    if not class_name.startswith("org.apache.spark.ml.") or not name.endswith("Model"):
        return
    needed = list(_CONTENT.get(name, ("data",)))
    classes = metadata.content.get("numClasses")
    if name == "OneVsRestModel" and isinstance(classes, int):
        needed += [f"model_{index}" for index in range(min(classes, 100_000))]
    missing = [one for one in needed if not _has_files(folder / one)]
    if missing:
        raise IncompatibleModel(
            f"{where} is half a model: of what a {name} learnt, {_some(missing)} not there. "
            "Save or copy it again."
        )


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(not is_hidden(path.name) for path in folder.iterdir())


def _is_name(uid: object) -> bool:
    """A folder's name, and not a path to elsewhere."""
    return isinstance(uid, str) and bool(uid) and not re.search(r"[/\\\x00-\x1f]", uid)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """`model_10` after `model_2`."""
    return tuple((int(d or 0), t) for d, t in re.findall(r"([0-9]{1,18})|([^0-9]+)", name))


def _where(folder: Path, model: Path) -> str:
    if folder == model:
        return repr(str(model))
    return f"{folder.relative_to(model).as_posix()!r} of {str(model)!r}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    verb = "is" if len(names) == 1 else "are"
    return f"{', '.join(repr(name) for name in names[:3])}{more} {verb}"
