import gzip
import json
import os
import shutil

import pytest

from gavial.errors import IncompatibleModel
from gavial.model.saved_model import SavedModel

LR = "org.apache.spark.ml.classification.LogisticRegressionModel"
ASSEMBLER = "org.apache.spark.ml.feature.VectorAssembler"
CV = "org.apache.spark.ml.tuning.CrossValidatorModel"


def learnt(folder, name="data"):
    (folder / name).mkdir()
    (folder / name / "part-00000.parquet").write_bytes(b"PAR1")


def part(folder):
    (found,) = [path for path in (folder / "metadata").iterdir() if path.name.startswith("part-")]
    return found


def refused(folder, message):
    with pytest.raises(IncompatibleModel, match=message):
        SavedModel.read(folder)


def test_a_model_that_spark_saved_is_read_with_all_its_stages(churn):
    model = SavedModel.read(churn)
    assert [stage.class_name.rpartition(".")[2] for stage in model.stages()] == [
        "PipelineModel",
        "StringIndexerModel",
        "VectorAssembler",
        "LogisticRegressionModel",
        "SQLTransformer",
    ]
    lr = model.root.children[2]
    assert lr.parameters == {"maxIter": 3, "regParam": 0.01}
    assert lr.defaults["tol"] == 1e-6
    assert lr.spark_version[:3] in ("4.3", "3.5")
    assert (churn / lr.metadata_file).is_file()
    assert lr.folder == f"stages/2_{lr.uid}"
    assert model.root.folder == ""


def test_files_are_all_but_markers_and_checksums(churn):
    (churn / "stages" / "_weights.bin").write_bytes(b"of a Python-written stage")
    names = [name for name, _ in SavedModel.read(churn).files()]
    assert names == sorted(names)
    assert len(names) == 8  # five metadata, two data, and that one
    assert not [name for name in names if name.endswith(".crc") or "_SUCCESS" in name]


def test_equal_models_have_one_digest_and_others_another(churn, tmp_path):
    before = SavedModel.read(churn).digest()
    copy = shutil.copytree(churn, tmp_path / "copy")
    for path in copy.rglob("*.crc"):
        path.unlink()
    assert SavedModel.read(copy).digest() == before
    data = next(copy.glob("stages/2_*/data/part-*"))
    data.write_bytes(data.read_bytes() + b"x")
    assert SavedModel.read(copy).digest() != before


def test_one_model_saved_twice_has_one_digest(churn4):
    before = SavedModel.read(churn4).digest()
    again = part(churn4).rename(churn4 / "metadata" / "part-00000")
    content = json.loads(again.read_text())
    again.write_text(json.dumps({**content, "timestamp": content["timestamp"] + 1}))
    for data in list(churn4.glob("stages/*/data/part-*")):
        head, _, tail = data.name.partition("-c000")
        data.rename(data.with_name(f"{head[:-36]}01234567-89ab-cdef-0123-456789abcdef-c000{tail}"))
    assert SavedModel.read(churn4).digest() == before
    again.write_text(json.dumps({**content, "uid": "another"}))
    assert SavedModel.read(churn4).digest() != before


def test_stages_in_stages_are_found(saved):
    folder = saved.pipeline((None, "PipelineModel_in", {}), (None, "cv", {}), (None, "ovr", {}))
    saved.pipeline((ASSEMBLER, "a", {}), where="stages/0_PipelineModel_in")
    cv = saved.stage("stages/1_cv", CV, "cv")
    for name in ("estimator", "evaluator"):
        saved.stage(f"stages/1_cv/{name}", f"org.apache.spark.ml.x.{name.title()}", name)
    learnt(saved.stage("stages/1_cv/bestModel", LR, "best"))
    learnt(saved.stage("stages/1_cv/subModels/fold0/0", LR, "sub"))
    name = "org.apache.spark.ml.classification.OneVsRestModel"
    saved.stage("stages/2_ovr", name, "ovr", numClasses=11)
    saved.stage("stages/2_ovr/classifier", LR[:-5], "classifier")
    for index in range(11):
        learnt(saved.stage(f"stages/2_ovr/model_{index}", LR, f"m{index}"))
    uids = [stage.uid for stage in SavedModel.read(folder).stages()][1:]
    models = [f"m{index}" for index in range(11)]
    inner = f"PipelineModel_{len('stages/0_PipelineModel_in')}"
    tuned = ["cv", "best", "estimator", "evaluator", "sub"]
    assert uids == [inner, "a", *tuned, "ovr", "classifier", *models]
    shutil.rmtree(cv / "bestModel")
    refused(folder, "'bestModel' is not there")


def test_a_one_versus_rest_model_that_lacks_a_class_is_half_a_model(saved):
    folder = saved.pipeline((None, "ovr", {}))
    name = "org.apache.spark.ml.classification.OneVsRestModel"
    saved.stage("stages/0_ovr", name, "ovr", numClasses=2)
    saved.stage("stages/0_ovr/classifier", LR[:-5], "classifier")
    learnt(saved.stage("stages/0_ovr/model_0", LR, "m0"))
    refused(folder, "'model_1' is not there")


def test_a_pipeline_of_ten_stages_has_two_digits(saved):
    folder = saved.pipeline(*[(ASSEMBLER, f"a{index}", {}) for index in range(10)])
    assert SavedModel.read(folder).root.children[9].folder == "stages/09_a9"


def test_python_is_named_where_the_pipeline_says_so(saved):
    folder = saved.pipeline((ASSEMBLER, "a", {}), python=True)
    root = SavedModel.read(folder).root
    assert (root.language, root.children[0].language) == ("Python", None)


def test_metadata_compressed_with_gzip_is_read(churn4):
    old = part(churn4)
    old.with_name("part-00000.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    assert len(SavedModel.read(churn4).root.children) == 4


@pytest.mark.parametrize("codec", ["bz2", "snappy", "lz4", "zst"])
def test_another_codec_is_refused_with_the_setting_that_avoids_it(churn4, codec):
    part(churn4).rename(churn4 / "metadata" / f"part-00000.{codec}")
    refused(churn4, f"compressed with {codec}.*outputformat.compress=false")


def test_a_truncated_compressed_file_is_refused(churn4):
    old = part(churn4)
    old.with_name("part-00000.gz").write_bytes(gzip.compress(old.read_bytes())[:-9])
    old.unlink()
    refused(churn4, "truncated")


def test_a_compressed_bomb_is_refused(churn4):
    old = part(churn4)
    old.with_name("part-00000.gz").write_bytes(gzip.compress(b" " * (17 << 20)))
    old.unlink()
    refused(churn4, "more than 16 MiB")


def test_a_second_gzip_member_is_refused_because_spark_would_read_it(churn4):
    old = part(churn4)
    data = gzip.compress(old.read_bytes())
    old.with_name("part-00000.gz").write_bytes(data + data)
    old.unlink()
    refused(churn4, "bytes after its end")


def test_what_is_no_folder_is_refused(tmp_path):
    refused(tmp_path / "nothing", "does not exist")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "is a file")


def test_a_folder_without_metadata_is_no_saved_model(tmp_path):
    refused(tmp_path, "not a saved Spark ML model")


def test_a_stage_that_is_not_there_is_named(churn):
    shutil.rmtree(next(churn.glob("stages/1_*")))
    refused(churn, "half a model: of its 4 stages, '1_VectorAssembler_.* is not there")


def test_what_a_stage_learnt_must_be_there(churn):
    shutil.rmtree(next(churn.glob("stages/2_*/data")))
    refused(churn, "of what a LogisticRegressionModel learnt, 'data' is not there")


def test_an_empty_data_folder_is_half_a_model(churn):
    next(churn.glob("stages/2_*/data/part-*")).unlink()
    refused(churn, "'data' is not there")


def test_metadata_without_a_part_is_half_a_model(churn):
    next(churn.glob("stages/2_*/metadata/part-*")).unlink()
    refused(churn, "has no part file")


def test_a_second_part_is_refused_because_spark_ignores_it(churn):
    (churn / "metadata" / "part-00001").write_text("{}")
    refused(churn, "has 2 part files")


@pytest.mark.parametrize("name", ["a=1", "_a=1"])
def test_a_folder_in_metadata_is_refused(churn, name):
    (churn / "metadata" / name).mkdir()
    refused(churn, "is not a part file that Spark writes")


def test_a_save_that_never_finished_is_refused(churn):
    next(churn.glob("stages/2_*/data")).joinpath("_temporary").mkdir()
    refused(churn, "never finished")


def test_a_stage_that_the_pipeline_does_not_list_is_refused(churn):
    (churn / "stages" / "9_Other").mkdir()
    refused(churn, "does not list.*9_Other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "not the JSON"),
        (b"[]", "no JSON object"),
        (b"\xff{}", "cannot be read"),
        (b"\xef\xbb\xbf{}", "not the JSON"),
        (b'{"class":"a","class":"b"}', "twice"),
        (b"[" * 100_000, "nested too deeply|recursion"),
        (b'{"uid":"a"}', "names no class"),
        (b'{"class":"a"}', "names no uid"),
        (b'{"class":"a","uid":"\\u001b[2J"}', "control characters"),
        (b'{"a":' + b"1" * 5000 + b"}", "not the JSON"),
        (b"{}\n{}\n", "more than one line"),
        (b"{}\r{}", "more than one line"),
    ],
)
def test_metadata_that_spark_would_read_otherwise_or_not_at_all_is_refused(churn, text, message):
    old = part(churn)
    old.unlink()
    (churn / "metadata" / "part-00000").write_bytes(text)
    refused(churn, message)


@pytest.mark.parametrize("uid", ["a/../../b", "a\\b", "", "a\nb"])
def test_a_stage_uid_that_is_a_path_is_refused(saved, uid):
    saved.stage("", "org.apache.spark.ml.PipelineModel", "p", {"stageUids": [uid]})
    refused(saved.folder, "does not list its stages")


@pytest.mark.parametrize(
    "name", ["org.apache.spark.ml.Pipeline", "pyspark.ml.pipeline.Pipeline", "x.VersionedPipeline"]
)
def test_an_unfitted_pipeline_is_refused(saved, name):
    saved.stage("", name, "p", {"stageUids": []})
    refused(saved.folder, "was not fitted")


def test_an_unfitted_pipeline_within_a_model_is_refused(saved):
    folder = saved.pipeline(("org.apache.spark.ml.Pipeline", "inner", {"stageUids": []}))
    refused(folder, "inner is a pipeline that was not fitted")


def test_a_single_model_is_refused_with_the_way_to_wrap_it(saved):
    learnt(saved.stage("", LR, "lr"))
    refused(saved.folder, r"PipelineModel\(stages=\[model\]\)")


def test_a_tuning_model_is_refused_with_its_best_model(saved):
    saved.stage("", CV, "cv")
    for name in ("estimator", "evaluator"):
        saved.stage(name, f"org.apache.spark.ml.{name.title()}", name)
    learnt(saved.stage("bestModel", LR, "best"))
    refused(saved.folder, "bestModel")


def test_a_link_that_leads_out_is_refused(churn, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    next(churn.glob("stages/2_*/data")).joinpath("part-1").symlink_to(secret)
    refused(churn, "leads out of the folder")


def test_a_link_to_a_folder_is_refused(churn):
    (churn / "stages" / "loop").symlink_to(churn)
    refused(churn, "link to a folder")


def test_a_link_to_a_file_inside_is_read(churn4):
    data = next(churn4.glob("stages/2_*/data/part-*"))
    data.with_name("part-again").symlink_to(data)
    assert len(SavedModel.read(churn4).files()) == 8


def test_a_pipe_is_refused(churn):
    os.mkfifo(churn / "pipe")
    refused(churn, "not a file or folder")


def test_metadata_in_capitals_is_refused(saved):
    folder = saved.pipeline(("org.example.Odd", "odd", {}))
    (folder / "stages/0_odd/inner/MetaData").mkdir(parents=True)
    refused(folder, "only in case")


def test_stages_nested_without_end_are_refused(saved):
    saved.pipeline(("org.example.Odd", "odd", {}))
    path = "stages/0_odd"
    for _ in range(60):
        path += "/m"
        saved.stage(path, "org.example.Odd", "odd")
    refused(saved.folder, "nested")


def test_metadata_of_the_old_library_is_no_stage(saved):
    name = "org.apache.spark.ml.clustering.DistributedLDAModel"
    folder = saved.pipeline((name, "lda", {}))
    old = folder / "stages/0_lda/oldModel/metadata"
    old.mkdir(parents=True)
    (old / "part-00000").write_text('{"class":"org.apache.spark.mllib.clustering.X","version":"1"}')
    assert [stage.uid for stage in SavedModel.read(folder).stages()] == ["PipelineModel_0", "lda"]
