"""Signature files that are malformed, later than this version, or hostile."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import CorruptRelease, GavialError, IncompatibleModel
from gavial.model.signature import MEDIA_TYPE, Bundle, Statement

FINGERPRINT = "a" * 64
STATEMENT = Statement("com.acme:churn:1.0.3", {"churn-1.0.3.jar": "b" * 64, "a.pom": "c" * 64})
BUNDLE = Bundle(STATEMENT.render("it"), b"signature", FINGERPRINT)


def changed(change):
    content = json.loads(BUNDLE.render())
    change(content)
    return json.dumps(content).encode()


def said(change):
    content = json.loads(BUNDLE.payload)
    change(content)
    return json.dumps(content).encode()


def test_a_bundle_reads_back_as_it_was_written():
    for one in (BUNDLE, Bundle(b"{}", b"s", "", (b"first", b"second"))):
        assert Bundle.parse(one.render(), "it") == one


def test_a_statement_reads_back_as_it_was_written():
    assert Statement.parse(STATEMENT.render("it"), "it") == STATEMENT


@given(coordinate=st.text(), names=st.dictionaries(st.text(), st.binary(min_size=32, max_size=32)))
def test_any_statement_reads_back(coordinate, names):
    made = Statement(coordinate, {name: digest.hex() for name, digest in names.items()})
    try:
        payload = made.render("it")
        [text.encode() for text in (coordinate, *names)]
    except UnicodeEncodeError:
        return
    assert Statement.parse(payload, "it") == made


MALFORMED = {
    "nothing": b"",
    "truncated": BUNDLE.render()[:-20],
    "a list": b"[]",
    "text": b'"signature"',
    "deep": b"[" * 100_000,
    "deep within": changed(lambda c: c.update(more="DEEP")).replace(
        b'"DEEP"', b"[" * 500 + b"]" * 500
    ),
    "not UTF-8": b"\xff\xfe{}",
    "a constant": BUNDLE.render().replace(b'"tlogEntries": []', b'"tlogEntries": NaN'),
    "another media type": changed(lambda c: c.update(mediaType="text/plain")),
    "an earlier bundle": changed(lambda c: c.update(mediaType=MEDIA_TYPE.replace("0.3", "0.2"))),
    "no envelope": changed(lambda c: c.pop("dsseEnvelope")),
    "no signatures": changed(lambda c: c["dsseEnvelope"].update(signatures=[])),
    "two signatures": changed(
        lambda c: c["dsseEnvelope"].update(signatures=c["dsseEnvelope"]["signatures"] * 2)
    ),
    "signatures that are none": changed(lambda c: c["dsseEnvelope"].update(signatures=[7])),
    "no base64": changed(lambda c: c["dsseEnvelope"]["signatures"][0].update(sig="§§§§")),
    "loose base64": changed(lambda c: c["dsseEnvelope"].update(payload="e30 = ")),
    "a huge signature": changed(
        lambda c: c["dsseEnvelope"]["signatures"][0].update(
            sig=base64.b64encode(b"x" * 100_000).decode()
        )
    ),
    "no key": changed(lambda c: c.update(verificationMaterial={})),
    "key and certificates": changed(
        lambda c: c["verificationMaterial"].update(x509CertificateChain={"certificates": []})
    ),
    "no fingerprint": changed(lambda c: c["verificationMaterial"]["publicKey"].update(hint="")),
    "no certificates": changed(
        lambda c: c.update(verificationMaterial={"x509CertificateChain": {"certificates": []}})
    ),
    "very many certificates": changed(
        lambda c: c.update(
            verificationMaterial={
                "x509CertificateChain": {"certificates": [{"rawBytes": "e30="}] * 1000}
            }
        )
    ),
    "Sigstore's own service": changed(
        lambda c: c.update(verificationMaterial={"certificate": {"rawBytes": "e30="}})
    ),
    "more bytes than any has": changed(lambda c: c.update(more="x" * (2 << 20))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_signature_is_an_error_of_ours(name):
    with pytest.raises(CorruptRelease, match=r"^it "):
        Bundle.parse(MALFORMED[name], "it")


@pytest.mark.parametrize("kind", ["0.4", "1.0", "12.0"])
def test_a_later_bundle_is_told_as_one(kind):
    data = changed(lambda c: c.update(mediaType=MEDIA_TYPE.replace("0.3", kind)))
    with pytest.raises(IncompatibleModel, match="pip install --upgrade"):
        Bundle.parse(data, "it")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("_type", "https://in-toto.io/Statement/v2"),
        ("predicateType", "https://model_signing/signature/v1.1"),
        ("predicateType", "https://model_signing/signature/v2.0"),
    ],
)
def test_a_later_statement_is_told_as_one(field, value):
    with pytest.raises(IncompatibleModel, match="pip install --upgrade"):
        Statement.parse(said(lambda c: c.update({field: value})), "it")


def resource(**fields):
    return lambda c: c["predicate"]["resources"][0].update(fields)


UNSOUND = {
    "another predicate": lambda c: c.update(predicateType="https://slsa.dev/provenance/v1"),
    "the experimental form": lambda c: c.update(predicateType="https://model_signing/Digests/v0.1"),
    "two subjects": lambda c: c.update(subject=c["subject"] * 2),
    "no subject": lambda c: c.update(subject=[]),
    "a subject that is text": lambda c: c.update(subject="com.acme:churn:1.0.3"),
    "another root": lambda c: c["subject"][0]["digest"].update(sha256="0" * 64),
    "shards": lambda c: c["predicate"]["serialization"].update(method="shards"),
    "blake": lambda c: c["predicate"]["serialization"].update(hash_type="blake2b"),
    "an unknown algorithm": resource(algorithm="md5"),
    "a short digest": resource(digest="ab"),
    "no digest": resource(digest=None),
    "no name": resource(name=7),
    "a file twice": resource(name="churn-1.0.3.jar"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_statement_is_an_error_of_ours(name):
    with pytest.raises(CorruptRelease, match=r"^it is no signature"):
        Statement.parse(said(UNSOUND[name]), "it")


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data):
    for parse in (Bundle.parse, Statement.parse):
        with suppress(GavialError):
            parse(data, "it")


def test_differences_name_each_file():
    there = Statement("com.acme:churn:1.0.3", {"a.pom": "d" * 64, "b.json": "c" * 64})
    assert len(STATEMENT.differences(there)) == 3
    assert STATEMENT.differences(STATEMENT) == ()
