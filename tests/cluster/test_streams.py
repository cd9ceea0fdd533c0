"""Streams from files and a real Kafka, into Parquet and a real Delta table, killed again and again.

`pytest tests/cluster/test_streams.py`. What is missing is fetched once: see tests/servers/fetch.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("clusters", "servers"))
import delta
import kafka
from dying_streams import STEPS, Stream, check

AT_ONCE = 10  # records of a batch
PRODUCED = 30  # before each start
KILLS = {"parquet": 10, "delta": len(STEPS)}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with kafka.start(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.mark.parametrize("output", ["parquet", "delta"])
def test_kills_and_three_releases_over_kafka_leave_every_record_once(broker, output, tmp_path):
    kills = KILLS[output]
    stream = Stream(tmp_path, output, kafka.source_jars())
    if output == "delta":
        stream.jars += delta.jars()
        stream.python = delta.python()
    topic = {"kind": "kafka", "servers": broker, "topic": f"customers-{output}"}
    topic |= {"at_once": AT_ONCE, "count": PRODUCED}
    stream.release()
    known = {}
    for kill in range(kills):
        step = STEPS[kill % len(STEPS)]
        stream.run({**topic, "first": kill * PRODUCED}, die=(step, 1 + kill % 3))
        assert known.items() <= stream.pins().items(), step
        known = stream.pins()
        if kill in (1, 3, 5):
            stream.release()
    scored = stream.run({**topic, "first": kills * PRODUCED})
    check(scored, range((kills + 1) * PRODUCED), stream.pins())
    assert {build for _, build, _ in scored} == {0, 1, 2, 3}


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
