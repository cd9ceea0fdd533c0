"""What may be a build, what a minor: decided over two cards."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Line, Target, Version
from gavial.model import columns, compatibility
from gavial.model.card import Card
from gavial.model.compatibility import Level, compare

ML = "org.apache.spark.ml."
VECTOR = {"type": "udt", "class": f"{ML}linalg.VectorUDT", "sqlType": {}}


def stage(name, uid="u", **parameters):
    return {"uid": uid, "class": f"{ML}{name}", "parameters": parameters, "defaults": {}}


def schema(**kinds):
    """A schema; `("long", False)` is a long that is never null."""
    fields = []
    for name, kind in kinds.items():
        kind, nullable = kind if isinstance(kind, tuple) else (kind, True)
        fields.append({"name": name, "type": kind, "nullable": nullable, "metadata": {}})
    return {"type": "struct", "fields": fields}


def card(*pipeline, given=None, made=None):
    found = columns.flow(pipeline)
    return Card(
        "a:b:1.0.0",
        "now",
        pipeline=pipeline,
        inputs=columns.inputs(found, given),
        outputs=columns.outputs(found, made, given),
        input_schema=given,
        output_schema=made,
    )


def assembler(*names, uid="u"):
    return stage("feature.VectorAssembler", uid, inputCols=list(names), outputCol="features")


def regression(**parameters):
    settings = {"featuresCol": "features", "predictionCol": "prediction", **parameters}
    return stage("regression.LinearRegressionModel", **settings)


def churn(*names, given=None, made=None, **parameters):
    return card(assembler(*names), regression(**parameters), given=given, made=made)


def watermark(version):
    statement = f"SELECT *, 'a:b:{version}' AS `pipeline` FROM __THIS__"
    return stage("feature.SQLTransformer", "Watermark_0123456789ab", statement=statement)


def reasons(one, other, level=Level.BUILD, freeze=()):
    return list(compare(one, other).against(level, freeze))


@pytest.mark.parametrize("level", [Level.BUILD, Level.MINOR])
def test_a_new_column_that_is_needed_is_refused(level):
    before, after = churn("x"), churn("x", "y", given=schema(x="double", y="double"))
    assert reasons(before, after, level) == [
        "it needs the column 'y' (double), which was not needed before"
    ]


def test_a_column_that_is_no_longer_needed_is_told():
    found = compare(churn("x", "y"), churn("x"))
    assert found.against(Level.BUILD) == ()
    assert found.harmless == ("it no longer needs the column 'y'",)


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        ("integer", "integer", True),
        ("integer", "long", True),
        ("long", "integer", False),
        ("integer", "float", False),
        ("float", "double", True),
        ("double", "string", False),
        ("decimal(10,2)", "decimal(12,2)", True),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("integer", "decimal(12,2)", True),
        ("long", "decimal(12,2)", False),
        (("double", False), "double", True),
        ("double", ("double", False), False),
        (VECTOR, {**VECTOR, "pyClass": "x"}, True),
        (VECTOR, "double", False),
        (
            {"type": "array", "elementType": "integer", "containsNull": False},
            {"type": "array", "elementType": "long", "containsNull": True},
            True,
        ),
        (
            {"type": "array", "elementType": "integer", "containsNull": True},
            {"type": "array", "elementType": "integer", "containsNull": False},
            False,
        ),
        (schema(a="long", b="long"), schema(a="long"), True),
        (schema(a="long"), schema(a="long", b="long"), False),
    ],
)
def test_a_type_is_read_where_the_one_before_it_goes_into_it(before, after, fits):
    one, other = churn("x", given=schema(x=before)), churn("x", given=schema(x=after))
    assert (reasons(one, other) == []) == fits
    assert reasons(one, other) == reasons(one, other, Level.MINOR)


def test_a_type_that_is_not_known_refuses_nothing():
    assert reasons(churn("x", given=schema(x="long")), churn("x")) == []


def test_an_output_that_is_gone_is_refused():
    before, after = churn("x"), churn("x", predictionCol="score")
    assert reasons(before, after, Level.MINOR) == ["it no longer makes the column 'prediction'"]


def test_an_output_of_another_type_is_refused_even_a_wider_one():
    before = churn("x", made=schema(prediction="float"))
    after = churn("x", made=schema(prediction="double"))
    text = "the column 'prediction', which it makes, changed: it is double, and was float"
    assert reasons(before, after, Level.MINOR) == [text]


def test_an_output_that_may_now_be_null_is_refused_and_the_other_way_is_not():
    never = churn("x", made=schema(prediction=("double", False)))
    maybe = churn("x", made=schema(prediction="double"))
    assert reasons(never, maybe) == ["the column 'prediction', which it makes, may now be null"]
    assert reasons(maybe, never) == []


def test_a_model_that_loses_its_watermark_is_refused():
    before = card(assembler("x"), watermark("1.0.0"))
    assert reasons(before, card(assembler("x"))) == ["it no longer makes the column 'pipeline'"]


def test_a_model_that_drops_the_other_columns_is_refused():
    some = card(stage("feature.SQLTransformer", statement="SELECT x, y FROM __THIS__"))
    every = card(stage("feature.SQLTransformer", statement="SELECT *, x + y AS z FROM __THIS__"))
    assert "it no longer keeps the other columns of a record" in reasons(every, some)
    assert reasons(some, every) == []


def test_another_technique_is_a_minor_and_no_build():
    before = churn("x")
    forest = stage(
        "regression.RandomForestRegressionModel", featuresCol="features", predictionCol="prediction"
    )
    after = card(assembler("x"), forest)
    assert reasons(before, after, Level.MINOR) == []
    assert reasons(before, after) == [
        "stage 2 is RandomForestRegressionModel, and was LinearRegressionModel"
    ]


def test_a_pipeline_within_a_pipeline_and_the_watermark_are_no_other_technique():
    nested = {**stage("PipelineModel"), "stages": [assembler("x"), regression()]}
    one = card(nested, watermark("1.0.0"))
    other = card(assembler("x"), regression(), watermark("1.0.1"))
    found = compare(one, other)
    assert (found.technique, found.parameters, found.breaking) == ((), (), ())


def test_a_parameter_that_changed_is_told_and_refuses_nothing():
    found = compare(churn("x", regParam=0.1), churn("x", regParam=0.2))
    assert [str(one) for one in found.parameters] == [
        "stage 2, LinearRegressionModel.regParam: 0.2, was 0.1"
    ]
    assert found.against(Level.BUILD) == ()


@pytest.mark.parametrize(
    ("pattern", "frozen"),
    [
        ("LinearRegression.regParam", True),
        ("LinearRegressionModel.*", True),
        ("*.regParam", True),
        ("LinearRegression.maxIter", False),
        ("LogisticRegression.regParam", False),
    ],
)
def test_a_parameter_that_is_frozen_is_refused_in_a_build_alone(pattern, frozen):
    one, other = churn("x", regParam=0.1), churn("x", regParam=0.2)
    assert bool(reasons(one, other, Level.BUILD, [pattern])) == frozen
    assert reasons(one, other, Level.MINOR, [pattern]) == []


def test_an_estimators_name_freezes_its_model():
    change = compatibility.Change(1, "RandomForestClassificationModel", "maxDepth", 3, 4)
    assert change.is_frozen(["RandomForestClassifier.maxDepth"])


@pytest.mark.parametrize("bad", ["a.b", ["regParam"], ["LinearRegression."]])
def test_a_pattern_that_names_no_parameter_is_refused(bad):
    with pytest.raises(ConfigurationError, match="freeze"):
        compatibility.check_freeze(bad)


def test_a_name_that_spark_made_of_a_uid_is_no_change():
    one, other = (
        stage("feature.Tokenizer", uid, inputCol="x", outputCol=f"{uid}__output")
        for uid in ("Tokenizer_1", "Tokenizer_2")
    )
    assert compare(card(one), card(other)).parameters == ()


def test_a_default_that_only_one_spark_has_is_no_change():
    one = regression()
    other = {**one, "defaults": {"maxBlockSizeInMB": 0.0}}
    assert compare(card(one), card(other)).parameters == ()


def test_what_a_stage_of_an_unknown_class_needs_refuses_nothing_and_is_told():
    custom = {"uid": "c", "class": "com.acme.Doubler", "parameters": {}, "defaults": {}}
    before, after = card(custom, assembler("x")), card(custom, assembler("x", "y"))
    found = compare(before, after)
    assert found.against(Level.BUILD) == ()
    assert found.unknown == (
        "it needs the column 'y', which was not needed before",
        "which columns the stage c (com.acme.Doubler) needs and makes is not known",
    )


def test_a_card_of_before_there_were_inputs_is_compared_by_its_stages():
    old = replace(churn("x"), inputs=None, outputs=None)
    assert reasons(old, churn("x", "y"))


@pytest.mark.parametrize(
    ("target", "known", "expected"),
    [
        ("a:b:1.0", [], None),
        ("a:b:1.0", ["1.0.0", "1.0.2", "1.1.0"], "1.0.2"),
        ("a:b:1.2", ["1.0.9", "1.1.3"], "1.1.3"),
        ("a:b:2.0", ["1.0.9", "1.1.3"], "1.1.3"),
        ("a:b:1.0.7", ["1.0.9", "1.0.3"], "1.0.3"),
        ("a:b:1.0", ["2.0.0"], None),
    ],
)
def test_the_release_before_is_the_highest_below(target, known, expected):
    target = Target.parse(target)
    found = compatibility.before(target, target.line, map(Version.parse, known))
    assert (None if found is None else str(found)) == expected


kinds = st.sampled_from(["integer", "long", "double", "string", ("long", False)])
names = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True)


@st.composite
def cards(draw):
    used = draw(names)
    given = schema(**{name: draw(kinds) for name in used})
    parts = [assembler(*used), regression(regParam=draw(st.sampled_from([0.1, 0.2])))]
    if draw(st.booleans()):
        parts.append(watermark("1.0.0"))
    if draw(st.booleans()):
        parts.insert(0, {"uid": "c", "class": "com.acme.X", "parameters": {}, "defaults": {}})
    made = draw(st.none() | st.just(schema(prediction=draw(kinds))))
    return card(*parts, given=draw(st.none() | st.just(given)), made=made)


versions = st.builds(Version, st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
released = st.dictionaries(versions, st.none() | cards(), max_size=5)


@given(cards())
@settings(deadline=None, max_examples=40)
def test_a_model_is_compatible_with_itself(one):
    found = compare(one, one)
    assert found.against(Level.BUILD, ["*.*"]) == ()
    assert (found.technique, found.parameters, found.harmless) == ((), (), ())


@given(cards(), cards())
@settings(deadline=None, max_examples=40)
def test_what_may_be_a_build_may_be_a_minor(one, other):
    found = compare(one, other)
    assert set(found.against(Level.MINOR)) <= set(found.against(Level.BUILD))
    assert found.against(Level.MAJOR) == ()


@given(cards(), released, st.integers(0, 2))
@settings(deadline=None, max_examples=60)
def test_a_line_that_is_named_after_a_refusal_is_free_and_takes_the_release(one, there, major):
    found = compatibility.lines_for(one, sorted(there), there.get, major)
    assert found
    for line in found:
        assert all(version.line != line for version in there)
        target = Target.parse(f"a:b:{line}")
        before = compatibility.before(target, line, there)
        if before is not None and there[before] is not None:
            assert reasons(there[before], one, Level.between(before.line, line)) == []


@pytest.mark.parametrize("bad", [None, 1, [], {}, "decimal(" + "9" * 5000 + ",1)", {"type": "x"}])
def test_a_hostile_type_is_only_another_type(bad):
    one, other = churn("x", given=schema(x=bad)), churn("x", given=schema(x="decimal(10,2)"))
    assert len(reasons(one, other)) == (bad is not None)


def test_pipelines_of_very_many_stages_are_not_matched_one_by_one():
    many = [stage("feature.Tokenizer", inputCol="x", outputCol="y")] * 3_000
    found = compare(card(*many), card(*many, stage("feature.Binarizer")))
    assert found.technique == ("there are 3001 stages, and were 3000, of other classes",)
    assert compare(card(*many), card(*many)).technique == ()


def test_the_next_line_is_named_where_it_would_pass():
    known = [Version(1, 0, 0), Version(1, 1, 0)]
    there = {known[0]: churn("x"), known[1]: churn("x", "y")}
    assert compatibility.lines_for(churn("x", "y"), known, there.get, 1) == (
        Line(1, 2),
        Line(2, 0),
    )
    assert compatibility.lines_for(churn("x", "y", "z"), known, there.get, 1) == (Line(2, 0),)
