"""What a trust policy keeps out of Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

import gavial
from gavial.errors import UntrustedRelease
from gavial.registry import keys

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Of two releases 1.0.0 alone is signed, and a policy asks for signatures."""
    for sign in (tmp_path / "alice.pem", None):
        if sign:
            keys.generate(sign)
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models", sign=sign)
    policy = tmp_path / "trust.toml"
    policy.write_text('[[trust]]\ngroups = ["com.acme"]\nkeys = ["alice.pub"]\n')
    monkeypatch.setenv("GAVIAL_TRUST", str(policy))
    return tmp_path / "models"


def test_a_signed_release_is_loaded(spark, models):
    assert str(gavial.coordinate(gavial.resolve("com.acme:churn:1.0.0", models))) == (
        "com.acme:churn:1.0.0"
    )


def test_an_unsigned_one_is_not_even_fetched(spark, models, home):
    with pytest.raises(UntrustedRelease, match="is not signed"):
        gavial.resolve("com.acme:churn:1.0.1", models)
    with pytest.raises(UntrustedRelease, match="is not signed"):
        gavial.repository(models).release("com.acme:churn:1.0.1").load()
    (models / "com/acme/churn/1.0.1/churn-1.0.1-card.json").unlink()
    with pytest.raises(UntrustedRelease, match="has no model card"):
        gavial.resolve("com.acme:churn:1.0.1", models)
    url = gavial.repository(models).release("com.acme:churn:1.0.0").repository.url
    assert not [one for one in (home / ".cache").rglob("churn-1.0.1.jar") if url in str(one)]


def test_a_stream_stays_on_the_signed_release(spark, models, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.json").write_text('{"city": "Bonn", "x": 1.0}\n')
    stream = spark.readStream.schema("city string, x double").json(str(tmp_path / "in"))
    arguments = {
        "output": tmp_path / "scored",
        "checkpoint": tmp_path / "checkpoint",
        "trigger": {"availableNow": True},
    }
    with pytest.raises(UntrustedRelease, match="is not signed"):
        gavial.streaming.score(stream, "com.acme:churn", models, **arguments)
    scoring = gavial.streaming.score(stream, "com.acme:churn:1.0.0", models, **arguments)
    try:
        assert scoring.query.awaitTermination(120)
    finally:
        scoring.stop()
    assert str(scoring.version) == "com.acme:churn:1.0.0"
