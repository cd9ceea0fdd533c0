"""States of any parts of records, merged in any order, are the state of all of them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.monitoring import state
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.kept import Kept
from gavial.monitoring.profile import BINARY, Profile, Reference
from gavial.monitoring.reference import from_rows, rows
from gavial.monitoring.state import COLUMNS, Slot, State, total

PROFILE = Profile(
    BINARY,
    {"amount": Numeric((-1.0, 0.0, 0.5, 2.0)), "plan": Categories(("gold", "basic"))},
    label="left",
    prediction="said",
    score="score",
    classes=("0", "1"),
    score_bins=Numeric((0.0, 0.25, 0.5, 1.0)),
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "amount": st.none() | st.floats(-1e6, 1e6) | st.just(float("nan")),
            "plan": st.sampled_from(["gold", "basic", "odd", None]),
            "left": st.sampled_from([0, 1, 2, None]),
            "said": st.sampled_from([0.0, 1.0, None]),
            "score": st.none() | st.floats(-0.5, 1.5),
        }
    ),
    max_size=30,
)


@given(RECORDS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_parts_in_any_order_add_up_to_the_whole(
    records: list[dict[str, Any]], parts: int, chance: random.Random
) -> None:
    cut: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for one in records:
        chance.choice(cut).append(one)
    states = [count(one, PROFILE) for one in cut]
    chance.shuffle(states)

    found, expected = total(states), count(records, PROFILE)

    assert {key: cell.n for key, cell in found.items()} == {
        key: cell.n for key, cell in expected.items()
    }
    for key, cell in expected.items():
        assert found[key].mean == pytest.approx(cell.mean, rel=1e-9, abs=1e-9)
        assert found[key].m2 == pytest.approx(cell.m2, rel=1e-6, abs=1e-3)


@given(RECORDS)
def test_stored_rows_and_a_reference_come_back_as_they_were(records: list[dict[str, Any]]) -> None:
    made = count([*records, {}], PROFILE)
    slot = Slot("com.acme:churn", "1.0.0", None)
    stored = [dict(zip(COLUMNS, row, strict=True)) for row in state.rows({slot: made}, "d")]
    assert dict(Kept.of(stored, {}).states[slot]) == dict(made)

    reference = Reference(PROFILE, "1.0.0", (made, State(made)))
    names = (*COLUMNS, "text")
    written = [dict(zip(names, row, strict=True)) for row in rows(reference, "com.acme:churn")]
    read = from_rows(written, "com.acme:churn", "1.0.0")
    assert read.profile.digest == PROFILE.digest
    assert list(map(dict, read.chunks)) == list(map(dict, reference.chunks))
