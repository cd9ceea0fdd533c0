"""Promotions under every order of their steps, with a kill at each, beside others and deploys."""

from __future__ import annotations

from dataclasses import replace

import invariants
import pytest
from explorer import Explorer, Pace
from run import is_loss
from server_models import (
    FOLDER,
    MAKES_FOLDERS,
    MODELS,
    MODULE,
    REFUSES,
    REFUSES_AT_ONCE,
)
from test_explore import named, run_alone
from writers import Promoter, Writer

from gavial.errors import NumberTaken, ReleaseExists
from gavial.maven import transfer
from gavial.maven.coordinate import Target

FIRST, SECOND = Target(MODULE, (1, 0, 0)), Target(MODULE, (1, 0, 1))
NEXT = Target(MODULE, (1, 0))
PROMOTION = Promoter("source", FIRST)
PROMISED = [model for model in MODELS if model.promised]

each_promised = pytest.mark.parametrize("model", PROMISED, ids=named)


@each_promised
def test_two_promotions_of_one_release_of_which_any_may_die_lose_nothing(model):
    found = Explorer(model, (PROMOTION, PROMOTION)).explore()
    assert found.complete
    assert found.violations == ()
    assert found.ends > 0


@each_promised
def test_a_promotion_and_a_deploy_that_takes_its_number_lose_nothing(model):
    found = Explorer(model, (Writer("deploy", NEXT), PROMOTION)).explore()
    assert found.complete
    assert found.violations == ()


@each_promised
def test_promotions_of_two_releases_lose_nothing(model):
    writers = (PROMOTION, Promoter("second", SECOND))
    found = Explorer(model, writers, crashes=1).explore()
    assert found.complete
    assert found.violations == ()


@pytest.mark.parametrize(
    ("model", "pace"),
    [(FOLDER, Pace.NOBODY), (REFUSES_AT_ONCE, Pace.NOBODY), (MAKES_FOLDERS, Pace.SERVER)],
    ids=named,
)
def test_a_promotion_or_a_deploy_that_stands_still_loses_no_release(model, pace):
    found = Explorer(model, (Writer("deploy", NEXT), PROMOTION), pace, crashes=1).explore()
    assert found.complete
    assert not any(map(is_loss, found.violations))


@pytest.mark.parametrize("model", [FOLDER, REFUSES_AT_ONCE, REFUSES, MAKES_FOLDERS], ids=named)
def test_a_promotion_that_was_killed_anywhere_is_finished_by_its_repetition(model):
    explorer = Explorer(model, (PROMOTION,))
    explorer.explore()
    ends = {state.files for state in explorer.parents if explorer.is_end(state)}
    assert len(ends) > 5
    for number in ends:
        files, done = repeated(model, explorer.files[number])
        assert done
        assert invariants.released(files) == {"1.0.0"}
        assert list(invariants.always(model, files)) == []
        assert list(invariants.list_is_right(model, files)) == []


def repeated(model, files):
    again = replace(PROMOTION, resumed=True)
    return run_alone(model, files, again.steps(model))


@pytest.mark.parametrize("model", [FOLDER, REFUSES, MAKES_FOLDERS], ids=named)
def test_after_a_deploy_died_with_the_number_a_promotion_refuses_and_changes_nothing(model):
    explorer = Explorer(model, (Writer("deploy", NEXT),))
    explorer.explore()
    taken = 0
    for number in {state.files for state in explorer.parents if explorer.is_end(state)}:
        files = explorer.files[number]
        try:
            after, _ = run_alone(model, files, PROMOTION.steps(model))
        except (NumberTaken, ReleaseExists):
            taken += 1
        else:  # the deploy had not come so far
            assert not any(path.endswith("metadata.xml") for path in files)
            assert invariants.owner(after["com/acme/churn/1.0.0/churn-1.0.0.pom"]) == "source"
    assert taken > 3


def taking_over(pace):
    """What a promotion does that takes any empty folder for its own."""
    writers = (Writer("deploy", NEXT), replace(PROMOTION, resumed=True))
    return Explorer(MAKES_FOLDERS, writers, pace, crashes=1, folders_wait=True).explore()


def test_a_promotion_that_was_cut_short_takes_its_folder_and_loses_nothing_to_a_prompt_deploy():
    assert taking_over(Pace.CLIENTS).violations == ()


def test_to_take_any_empty_folder_would_lose_the_release_of_a_deploy_that_stands_still():
    assert any(map(is_loss, taking_over(Pace.SERVER).violations))


@pytest.mark.parametrize("model", [REFUSES, MAKES_FOLDERS], ids=named)
def test_without_the_looks_at_its_claim_a_promotion_would_mix_two_releases(model, monkeypatch):
    monkeypatch.setattr(transfer, "_check_ours", no_look)
    found = Explorer(model, (Writer("deploy", NEXT), PROMOTION), Pace.SERVER, crashes=0).explore()
    assert (model is REFUSES) is any("mixed" in text for text in found.violations)


def no_look(_):
    """In the place of a look that the protocol has."""
    return
    yield
