"""A model that is followed through its releases, in a folder, without Spark."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gavial
from gavial.errors import CorruptRelease, IncompatibleModel, ReleaseNotFound, RepositoryUnavailable
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate
from gavial.maven.folder import FolderRepository
from gavial.maven.selector import Request
from gavial.registry.followed import Followed
from gavial.registry.problems import Problems
from gavial.spark.streaming.pin import Pin

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
INTERVAL = 60.0


class Folder(FolderRepository):
    """A folder that can be out of reach for a while."""

    down = False

    def names(self, path):
        if self.down:
            raise RepositoryUnavailable("no answer.")
        return super().names(path)


class Stream:
    """A folder of releases, what is loaded of them, and a clock that stands still."""

    def __init__(self, models, what="com.acme:churn"):
        self.models, self.now, self.loads, self.broken = models, 0.0, [], {}
        self.store = Folder(models, "models")
        self.problems = Problems()
        self.followed = Followed(
            self.store,
            Request.parse(what),
            self.load,
            interval=INTERVAL,
            problems=self.problems,
            clock=lambda: self.now,
        )

    def load(self, release, _next_one):
        self.loads.append(str(release.coordinate.version))
        if error := self.broken.get(str(release.coordinate.version)):
            raise error
        return f"model {release.coordinate.version}"

    def release(self):
        return gavial.deploy(SAVED, "com.acme:churn:1.0", self.models)

    def withdraw(self, release):
        shutil.rmtree(Path(self.models, layout.release_folder(release.coordinate)))

    def batch(self, pinned=None):
        pin = self.followed.choose(pinned)
        return pin, self.followed.model(pin)

    def told(self):
        return [one.what for one in self.problems.all()]


@pytest.fixture
def stream(tmp_path):
    return Stream(tmp_path / "models")


def test_a_batch_runs_on_the_release_that_was_the_newest_at_the_start(stream):
    release = stream.release()
    stream.followed.start(None)
    pin, model = stream.batch()
    assert (pin.coordinate, model) == (release.coordinate, "model 1.0.0")
    assert pin.sha256 == release.file("churn-1.0.0.jar").sha256


def test_a_newer_release_is_loaded_by_a_look_and_taken_by_the_next_batch(stream):
    stream.release()
    stream.followed.start(None)
    stream.release()
    assert stream.batch()[1] == "model 1.0.0"
    stream.followed.look()
    assert stream.loads == ["1.0.0", "1.0.1"]
    assert str(stream.followed.in_service.version) == "1.0.0"
    assert stream.batch()[1] == "model 1.0.1"
    assert stream.loads == ["1.0.0", "1.0.1"]
    assert stream.told() == []


def test_a_replay_runs_on_its_pin_and_the_next_batch_on_the_newest(stream):
    stream.release()
    stream.followed.start(None)
    old, _ = stream.batch()
    stream.release()
    again = Stream(stream.models)
    again.followed.start(old)
    assert again.batch(old) == (old, "model 1.0.0")
    assert again.batch()[1] == "model 1.0.1"


def test_a_release_that_does_not_load_leaves_the_current_one_and_says_so(stream):
    stream.release()
    stream.followed.start(None)
    stream.release()
    stream.broken["1.0.1"] = IncompatibleModel("no such class.")
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.0"
    (told,) = stream.told()
    assert "com.acme:churn:1.0.1" in told
    assert "no such class" in told
    assert "com.acme:churn:1.0.0 stays in service" in told


def test_a_release_that_does_not_load_is_tried_less_and_less_often(stream):
    stream.release()
    stream.followed.start(None)
    stream.release()
    stream.broken["1.0.1"] = IncompatibleModel("no such class.")
    for _ in range(100):
        stream.followed.look()
        stream.now += INTERVAL
    # At 0, and then after 1, 2, 4, 8, 16 and 32 minutes more.
    assert stream.loads.count("1.0.1") == 7
    assert len(stream.told()) == 1


def test_a_release_after_a_broken_one_is_taken(stream):
    stream.release()
    stream.followed.start(None)
    stream.release()
    stream.broken["1.0.1"] = CorruptRelease("other bytes.")
    stream.followed.look()
    stream.release()
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.2"


def test_at_a_start_a_broken_newest_is_passed_over_for_what_ran_before(stream):
    stream.release()
    stream.followed.start(None)
    pin, _ = stream.batch()
    stream.release()
    again = Stream(stream.models)
    again.broken["1.0.1"] = CorruptRelease("other bytes.")
    again.followed.start(pin)
    assert again.batch()[1] == "model 1.0.0"
    assert "1.0.1 is newer and cannot be used: other bytes." in again.told()[0]


def test_at_a_first_start_a_broken_newest_is_an_error(stream):
    stream.release()
    stream.broken["1.0.0"] = CorruptRelease("other bytes.")
    with pytest.raises(CorruptRelease, match="other bytes"):
        stream.followed.start(None)


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_version_that_is_withdrawn_stays_in_service_and_is_told(stream, earlier):
    releases = [stream.release() for _ in range(earlier + 1)]
    stream.followed.start(None)
    stream.withdraw(releases[-1])
    stream.followed.look()
    assert stream.batch()[1] == f"model 1.0.{earlier}"
    assert "in the repository no more" in stream.told()[0]


def test_a_release_that_is_withdrawn_while_in_service_stays_so_and_the_reason_is_told(stream):
    stream.release()
    bad = stream.release()
    stream.followed.start(None)
    models = gavial.repository(stream.models)
    models.withdraw(bad.coordinate, why="Trained on the wrong month.")
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.1"
    (told,) = stream.told()
    assert "1.0.1 is withdrawn (Trained on the wrong month." in told
    assert "allow_older=True" in told
    stream.release()
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.2"


def test_a_withdrawn_release_that_was_loaded_ahead_of_a_batch_is_not_the_selectors_any_more(stream):
    stream.release()
    stream.followed.start(None)
    bad = stream.release()
    gavial.repository(stream.models).withdraw(bad.coordinate, why="bad.")
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.0"
    assert stream.told() == []


def test_a_replay_on_a_withdrawn_release_runs_on_its_pin(stream):
    first = stream.release()
    stream.followed.start(None)
    pin, _ = stream.batch()
    stream.release()
    gavial.repository(stream.models).withdraw(first.coordinate, why="bad.")
    again = Stream(stream.models)
    again.followed.start(pin)
    assert again.batch(pin) == (pin, "model 1.0.0")


def test_an_alias_is_followed_forward_and_back(tmp_path):
    stream = Stream(tmp_path / "models", "com.acme:churn@champion")
    models = gavial.repository(stream.models)
    for _ in range(2):
        stream.release()
    models.set_alias("com.acme:churn", "champion", "1.0.1")
    stream.followed.start(None)
    pin, model = stream.batch()
    assert model == "model 1.0.1"
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.0"
    assert stream.told() == []
    again = Stream(stream.models, "com.acme:churn@champion")
    again.followed.start(pin)
    assert again.batch()[1] == "model 1.0.0"


def test_an_alias_that_is_set_back_before_a_batch_took_it_changes_nothing(tmp_path):
    stream = Stream(tmp_path / "models", "com.acme:churn@champion")
    models = gavial.repository(stream.models)
    for _ in range(2):
        stream.release()
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        models.set_alias("com.acme:churn", "champion", version)
        if stream.loads:
            stream.followed.look()
        else:
            stream.followed.start(None)
    assert stream.batch()[1] == "model 1.0.0"


def test_a_start_after_a_withdrawal_does_not_go_back_by_itself(stream):
    stream.release()
    last = stream.release()
    stream.followed.start(None)
    pin, _ = stream.batch()
    stream.withdraw(last)
    with pytest.raises(ReleaseNotFound, match="allow_older=True"):
        Stream(stream.models).followed.start(pin)
    back = Stream(stream.models)
    back.followed.start(pin, allow_older=True)
    assert back.batch()[1] == "model 1.0.0"


def test_a_replay_of_a_version_that_is_gone_says_which(stream):
    first = stream.release()
    stream.followed.start(None)
    pin, _ = stream.batch()
    stream.release()
    stream.withdraw(first)
    again = Stream(stream.models)
    again.followed.start(pin)
    with pytest.raises(ReleaseNotFound, match=r"pinned to com\.acme:churn:1\.0\.0.*Put that"):
        again.batch(pin)


def test_a_replay_on_other_bytes_than_it_was_pinned_to_is_refused(stream):
    release = stream.release()
    stream.followed.start(None)
    other = Pin(release.coordinate, "0" * 64)
    with pytest.raises(CorruptRelease, match="never changes"):
        stream.batch(other)


def test_an_outage_is_told_once_and_a_look_after_it_goes_on(stream):
    stream.release()
    stream.followed.start(None)
    stream.release()

    stream.store.down = True
    stream.followed.look()
    stream.followed.look()
    (problem,) = stream.problems.all()
    assert problem.times == 2
    assert "could not be asked" in problem.what
    stream.store.down = False
    stream.followed.look()
    assert stream.batch()[1] == "model 1.0.1"


def test_what_is_in_service_follows_the_selector(tmp_path):
    stream = Stream(tmp_path / "models", "com.acme:churn:1.0.+")
    stream.release()
    stream.followed.start(None)
    gavial.deploy(SAVED, "com.acme:churn:1.1", stream.models)
    stream.followed.look()
    assert stream.followed.choose(None).coordinate == Coordinate.parse("com.acme:churn:1.0.0")
