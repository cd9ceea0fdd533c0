import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.model import difference, watermark
from gavial.model.card import Card, File
from gavial.model.difference import ADDED, CHANGED, REMOVED, SAME, Difference, changes
from gavial.model.learned import Digest, Labels, Learned, Values
from gavial.model.saved_stage import Stage

SPARK = "org.apache.spark.ml.feature."


def stage(name, uid="", parameters=None, defaults=None):
    return Stage(
        "", uid or f"{name}_1", SPARK + name, None, parameters or {}, defaults or {}, "", ""
    )


def stage_with(children, **more):
    return replace(stage("PipelineModel", **more), children=tuple(children))


def compared(before, after):
    return difference.of_pairs(difference.matched(before, after), lambda _: None)


def statuses(before, after):
    return [(one.name, one.status, one.moved) for one in compared(before, after)]


# -- which stage is which ------------------------------------------------------------------


def test_a_retrained_stage_with_another_uid_is_the_same_stage():
    assert statuses([stage("PCAModel", "PCA_a")], [stage("PCAModel", "PCA_b")]) == [
        ("PCAModel", SAME, False)
    ]


def test_a_stage_of_another_class_is_one_removed_and_one_added():
    assert statuses([stage("A"), stage("B")], [stage("A"), stage("C")]) == [
        ("A", SAME, False),
        ("C", ADDED, False),
        ("B", REMOVED, False),
    ]


def test_a_removed_stage_stands_where_it_was():
    before = [stage("A"), stage("B"), stage("C")]
    assert statuses(before, [stage("A"), stage("C")]) == [
        ("A", SAME, False),
        ("B", REMOVED, False),
        ("C", SAME, False),
    ]


def test_stages_of_one_class_are_matched_by_the_columns_that_they_make():
    def indexer(uid, column):
        return stage("StringIndexerModel", uid, {"outputCol": column})

    before = [indexer("a", "x"), indexer("b", "y")]
    after = [indexer("c", "new"), indexer("d", "x"), indexer("e", "y")]
    found = compared(before, after)
    assert [(one.place_before, one.place_after, one.status) for one in found] == [
        ("", "1", ADDED),
        ("1", "2", SAME),
        ("2", "3", SAME),
    ]


def test_as_few_stages_as_can_be_have_moved():
    before = [stage(name) for name in "ABCDE"]
    after = [stage(name) for name in "EABCD"]
    moved = [(one.name, one.status) for one in compared(before, after) if one.moved]
    assert moved == [("E", CHANGED)]


names = st.lists(st.sampled_from("ABCD"), max_size=8)


@given(names, names)
def test_each_stage_comes_once_and_matches_one_of_its_class(before, after):
    old = [stage(name, f"{name}_{at}") for at, name in enumerate(before)]
    new = [stage(name, f"{name}_{at + 1}") for at, name in enumerate(after)]
    found = compared(old, new)
    assert sorted(one.place_before for one in found if one.place_before) == sorted(
        str(at + 1) for at in range(len(old))
    )
    assert [one.place_after for one in found if one.place_after] == [
        str(at + 1) for at in range(len(new))
    ]
    for letter in "ABCD":
        both = [one for one in found if one.name == letter and one.place_before and one.place_after]
        assert len(both) == min(before.count(letter), after.count(letter))


@given(names)
def test_a_pipeline_does_not_differ_from_itself(several):
    stages = [stage(name, f"{name}_{at}") for at, name in enumerate(several)]
    assert {one.status for one in compared(stages, stages)} <= {SAME}


@given(names, names)
def test_what_one_way_adds_the_other_way_removes(before, after):
    old, new = ([stage(name) for name in one] for one in (before, after))
    there, back = compared(old, new), compared(new, old)
    assert sum(one.status == ADDED for one in there) == sum(one.status == REMOVED for one in back)


def test_a_change_within_a_stage_is_a_change_of_that_stage():
    before = [stage_with([stage("A"), stage("B", parameters={"k": 1})])]
    after = [stage_with([stage("A"), stage("B", parameters={"k": 2})])]
    (found,) = compared(before, after)
    assert found.status == CHANGED
    assert [(one.place_after, one.status) for one in found.stages] == [
        ("1.1", SAME),
        ("1.2", CHANGED),
    ]


# -- parameters ----------------------------------------------------------------------------


def test_every_parameter_is_there_with_who_set_it():
    before = stage("A", parameters={"k": 1}, defaults={"k": 0, "seed": 7, "gone": 1})
    after = stage("A", parameters={"seed": 7, "new": 1}, defaults={"k": 0})
    (found,) = compared([before], [after])
    assert {
        one.name: (one.status, one.before, one.after, one.set_before, one.set_after)
        for one in found.parameters
    } == {
        "k": (CHANGED, 1, 0, True, False),
        "seed": (SAME, 7, 7, False, True),
        "gone": (REMOVED, 1, None, False, False),
        "new": (ADDED, None, 1, False, True),
    }


def test_a_default_that_holds_the_uid_does_not_differ():
    before = stage("A", "A_1", defaults={"outputCol": "A_1__output"})
    after = stage("A", "A_2", defaults={"outputCol": "A_2__output"})
    assert compared([before], [after])[0].status == SAME


def test_a_watermark_that_names_another_version_does_not_differ():
    def mark(version, column="pipeline"):
        statement = watermark.statement(f"com.acme:churn:{version}", column)
        return stage("SQLTransformer", "Watermark_0123456789ab", {"statement": statement})

    assert compared([mark("1.0.0")], [mark("1.0.1")])[0].status == SAME
    assert compared([mark("1.0.0")], [mark("1.0.1", "scored_by")])[0].status == CHANGED


# -- what was learnt -----------------------------------------------------------------------


def part(before, after):
    found = difference.of_learned(Learned(1, {"p": before}), Learned(2, {"p": after}))
    return found.parts[0]


def test_values_that_differ_are_named_and_the_others_counted():
    found = part(Values({"a": 1.0, "b": 2.0, "c": 3}), Values({"a": 1.5, "b": 2.0, "d": 4}))
    assert [(one.name, one.status) for one in found.values] == [
        ("a", CHANGED),
        ("d", ADDED),
        ("c", REMOVED),
    ]
    assert (found.status, found.same) == (CHANGED, 1)


def test_labels_are_added_removed_and_moved():
    found = part(Labels(("a", "b", "c")), Labels(("b", "c", "d")))
    assert found.added == ((2, "d"),)
    assert found.removed == ((0, "a"),)
    assert [(one.label, one.before, one.after) for one in found.moved] == [("b", 1, 0), ("c", 2, 1)]


labels = st.lists(st.sampled_from("abcdef"), unique=True).map(tuple)


@given(labels, labels)
def test_the_changes_of_labels_make_the_second_of_the_first(before, after):
    found = part(Labels(before), Labels(after))
    places = {one: at for at, one in enumerate(before)}
    for _, label in found.removed:
        del places[label]
    places |= {one.label: one.after for one in found.moved}
    places |= {label: at for at, label in found.added}
    assert tuple(sorted(places, key=places.__getitem__)) == after
    assert found.same + len(found.added) + len(found.moved) == len(after)


def test_many_values_are_compared_by_digest():
    assert part(Digest(5, "aa"), Digest(5, "aa")).status == SAME
    found = part(Digest(5, "aa"), Digest(6, "bb", 0, 1))
    assert (found.status, found.before.count, found.after.count) == (CHANGED, 5, 6)


def test_a_part_of_another_kind_has_changed():
    assert part(Labels(("a",)), Digest(1_000_000, "aa")).status == CHANGED


def test_what_cannot_be_read_has_changed_and_says_why():
    found = difference.of_learned(Learned(1, {}, "pyarrow is missing"), Learned(1))
    assert (found.status, found.unread) == (CHANGED, "pyarrow is missing")


# -- cards and named values ----------------------------------------------------------------

CARD = Card(
    "com.acme:churn:1.0.0",
    "2026-01-01T00:00:00Z",
    metrics={"auc": 0.8},
    environment={"spark": "4.3.0"},
    libraries=("a:b:1",),
    input_schema={"fields": [{"name": "x", "type": "long", "nullable": False}]},
    files=(File("churn-1.0.0.jar", 10, "aa"), File("churn-1.0.0-card.json", 5, "bb")),
)


def test_two_releases_of_one_model_do_not_differ_by_name_time_and_sizes():
    other = replace(
        CARD,
        coordinate="com.acme:churn:1.0.1",
        created="2026-02-01T00:00:00Z",
        files=(File("churn-1.0.1.jar", 11, "cc"),),
    )
    sizes = difference.of_sizes(CARD, other)
    assert [(one.name, one.status) for one in sizes] == [("jar", CHANGED), ("card.json", REMOVED)]
    found = Difference("a", "b", difference.of_cards(CARD, other), (), sizes)
    assert not found.differs


@pytest.mark.parametrize(
    ("section", "name", "more"),
    [
        ("metrics", "auc", {"metrics": {"auc": 0.9}}),
        ("environment", "spark", {"environment": {"spark": "4.2.0"}}),
        ("libraries", "a:b", {"libraries": ("a:b:2",)}),
        ("input", "x", {"input_schema": {"fields": [{"name": "x", "type": "long"}]}}),
        ("about", "owner", {"owner": "Ann"}),
        ("labels", "team", {"labels": {"team": "risk"}}),
        ("python modules", "capping", {"python_modules": ("capping",)}),
    ],
)
def test_each_of_these_is_a_difference(section, name, more):
    found = Difference("a", "b", difference.of_cards(CARD, replace(CARD, **more)))
    differ = {
        (key, one.name) for key, all_ in found.sections.items() for one in all_ if one.differs
    }
    assert differ == {(section, name)}
    assert found.differs


def test_a_schema_that_is_none_is_compared_all_the_same():
    found = difference.of_cards(CARD, replace(CARD, input_schema={"fields": [3, {"type": []}]}))
    assert [one.status for one in found["input"]] == [ADDED, REMOVED]


def test_true_is_not_one_and_nan_is_nan():
    found = changes({"a": True, "b": math.nan, "c": 1}, {"a": 1, "b": math.nan, "c": 1.0})
    assert [one.status for one in found] == [CHANGED, SAME, SAME]


keys = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3))


@given(keys, keys)
def test_named_changes_make_the_second_of_the_first(before, after):
    found = changes(before, after)
    assert {one.name: one.after for one in found if one.status != REMOVED} == after
    assert {one.name: one.before for one in found if one.status != ADDED} == before
    assert [one.name for one in found if one.status != REMOVED] == list(after)
