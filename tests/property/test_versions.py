from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import GavialError
from gavial.maven.coordinate import Coordinate, Module, Target, Version, suggestion
from gavial.maven.selector import Selector

numbers = st.integers(0, 999_999_999)
versions = st.builds(Version, numbers, numbers, numbers)
names = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True).filter(lambda n: suggestion(n) == n)


@given(names, names, versions)
def test_coordinates_round_trip(group, artifact, version):
    coordinate = Coordinate(Module(group, artifact), version)
    assert Coordinate.parse(str(coordinate)) == coordinate


@given(versions, versions)
def test_versions_are_ordered_as_their_numbers_are(one, other):
    key = lambda v: (v.major, v.minor, v.build)  # noqa: E731
    assert (one < other, one == other) == (key(one) < key(other), key(one) == key(other))


def _parsed(text):
    with suppress(GavialError):
        return Version.parse(text)
    return None


@given(st.from_regex(r"[0-9]{1,11}(\.[0-9]{1,11}){1,3}\n?", fullmatch=True) | st.text())
def test_a_version_is_tried_as_it_is_parsed(text):
    assert Version.try_parse(text) == _parsed(text)


@given(versions, st.lists(versions))
def test_an_exact_selector_selects_that_version_and_no_other(version, others):
    assert Selector.parse(str(version)).select([*others, version]) == version


@given(st.lists(versions, min_size=1))
def test_the_latest_release_is_the_highest_version(some):
    assert Selector().select(some) == max(some)


@given(versions, versions, versions)
def test_a_half_open_range_holds_its_lower_bound_and_not_its_upper(a, b, c):
    low, middle, high = sorted((a, b, c))
    if low == high:
        return
    selector = Selector.parse(f"[{low},{high})")
    assert selector.matches(low)
    assert not selector.matches(high)
    assert selector.matches(middle) == (middle != high)


@given(st.text())
def test_any_text_is_a_target_or_refused_by_our_own_error(text):
    with suppress(GavialError):
        Target.parse(text)


@given(st.text())
def test_any_text_is_a_selector_or_refused_by_our_own_error(text):
    with suppress(GavialError):
        parsed = Selector.parse(text)
        assert Selector.parse(str(parsed)) == parsed


@given(st.text())
def test_a_suggestion_is_itself_accepted(text):
    better = suggestion(text)
    assert not better or Module("com.acme", better)
