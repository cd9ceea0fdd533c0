"""Streams over a real Kafka and into a real Delta table, killed again and again.

`pytest tests/cluster/test_streams.py`. What is missing is fetched once: see tests/servers/fetch.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.extend(
    str(Path(__file__).parents[1] / folder) for folder in ("clusters", "servers", "e2e")
)
import delta
import kafka
from dying_streams import STEPS, Stream, check

AT_ONCE = 10  # records of a batch
PRODUCED = 30  # before each start
KILLS = 10


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with kafka.start(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.mark.parametrize("output", ["parquet", "delta"])
def test_ten_kills_and_three_releases_over_kafka_leave_every_record_once(broker, output, tmp_path):
    stream = Stream(tmp_path, output, kafka.source_jars())
    if output == "delta":
        stream.jars += delta.jars()
        stream.python = delta.python()
    topic = {"kind": "kafka", "servers": broker, "topic": f"customers-{output}"}
    topic |= {"at_once": AT_ONCE, "count": PRODUCED}
    stream.release()
    known = {}
    for kill in range(KILLS):
        step = STEPS[kill % len(STEPS)]
        stream.run({**topic, "first": kill * PRODUCED}, die=(step, 1 + kill % 3))
        assert known.items() <= stream.pins().items(), step
        known = stream.pins()
        if kill in (2, 5, 8):
            stream.release()
    scored = stream.run({**topic, "first": KILLS * PRODUCED})
    check(scored, range((KILLS + 1) * PRODUCED), stream.pins())
    assert {build for _, build, _ in scored} == {0, 1, 2, 3}
