"""A stream that is killed at every step of a batch, while newer releases appear."""

from __future__ import annotations

from dying_streams import STEPS, Stream, check


def test_a_kill_at_any_step_of_a_batch_changes_no_version_and_doubles_no_record(tmp_path):
    stream = Stream(tmp_path)
    source = {"kind": "files", "folder": str(tmp_path / "in")}
    stream.release()
    known = {}
    for number, step in enumerate(STEPS):
        # One batch that is replayed or new, and the one that does not survive.
        stream.arrive([2 * number, 2 * number + 1])
        stream.run(source, die=(step, 2 if number else 1))
        pins = stream.pins()
        assert known.items() <= pins.items(), step
        known = pins
        # What the dead one had under way is pinned to an older release than there is now.
        stream.release()
    under_way = set(known) - stream.committed()
    assert under_way
    scored = stream.run(source)
    check(scored, range(2 * len(STEPS)), stream.pins())
    assert known.items() <= stream.pins().items()
    assert len({build for _, build, _ in scored}) > 2
