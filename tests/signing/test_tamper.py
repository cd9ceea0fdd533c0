"""What was tampered with, and what caught it. SECURITY.md has the same table in words.

Whoever tampers here may write everything in the repository, checksums too, and has a key of their
own; they have not Alice's, whom the policy names.
"""

import hashlib
import json
import re
import zipfile

import pytest

from gavial.errors import CorruptRelease, GavialError, UntrustedRelease
from gavial.maven.settings_signing import Signing
from gavial.model.signature import Bundle, Statement
from gavial.registry import keys, signer

FILES = ("jar", "pom", "-metadata.xml", "-cyclonedx.json", "-card.json")


def suffix(name):
    return name if name.startswith("-") else f".{name}"


def add_byte(files, name):
    files.write(suffix(name), files.file(suffix(name)).read_bytes() + b" ")


def signature(files):
    return Bundle.parse(files.file("-signature.json").read_bytes(), "it")


def sign(files, people, who, **changes):
    """Sign what is there now, as somebody."""
    by = signer.of(Signing(), people / f"{who}.pem")
    paths = [files.file(suffix(name)) for name in FILES]
    digests = {path.name: sha256(path) for path in paths}
    said = Statement(changes.get("coordinate", f"com.acme:churn:{files.version}"), digests)
    files.write("-signature.json", by.sign(said, "it"))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Scene:
    """Version 1.0.1, which is attacked, what else there is, and whose keys."""

    def __init__(self, version, people):
        self.files, self.version, self.people = version("1.0.1"), version, people


# Each attack on 1.0.1, by name, and the error that stops it.
def one_byte(name):
    return lambda there: add_byte(there.files, name)


def one_byte_and_card(name):
    def attack(there):
        add_byte(there.files, name)
        there.files.follow(suffix(name))

    return attack


def card_field(field, value):
    return lambda there: there.files.card(lambda card: card.update({field: value}))


def missing(name):
    return lambda there: there.files.file(suffix(name)).unlink()


def bundle_field(change):
    def attack(there):
        content = there.files.json("-signature.json")
        change(content)
        there.files.write("-signature.json", json.dumps(content).encode())

    return attack


def statement_field(change):
    """The signed statement changed, and the signature as it was."""

    def attack(there):
        old = signature(there.files)
        content = json.loads(old.payload)
        change(content)
        made = Bundle(json.dumps(content).encode(), old.signature, old.key)
        there.files.write("-signature.json", made.render())

    return attack


def replayed(names):
    """Files of 1.0.0 under the names of 1.0.1, the older model to be served as the newer."""

    def attack(there):
        for name in names:
            there.files.write(suffix(name), there.version("1.0.0").file(suffix(name)).read_bytes())

    return attack


def renamed_whole(there):
    """All of 1.0.0 with every name and number in it made that of 1.0.1, but for the signature."""
    files, old = there.files, there.version("1.0.0")
    for name in FILES[1:]:
        text = old.file(suffix(name)).read_bytes().replace(b"1.0.0", b"1.0.1")
        files.write(suffix(name), text)
    files.write(".jar", old.file(".jar").read_bytes())
    for name in FILES[:-1]:
        files.follow(suffix(name))
    files.write("-signature.json", old.file("-signature.json").read_bytes())


def extra_file(there):
    files = there.files
    files.write("-evil.jar", b"PK")
    files.card(
        lambda card: card["files"].append(
            {"name": "churn-1.0.1-evil.jar", "size": 2, "sha256": sha256(files.file("-evil.jar"))}
        )
    )


def by_mallory(there):
    card_field("owner", "Mallory")(there)
    sign(there.files, there.people, "mallory")


def by_mallory_as_alice(there):
    """Mallory's signature under the fingerprint of Alice's key."""
    hint = signature(there.files).key
    by_mallory(there)
    made = signature(there.files)
    there.files.write("-signature.json", Bundle(made.payload, made.signature, hint).render())


def by_alice_for_another(there):
    """Alice did sign these very bytes, as another release."""
    sign(there.files, there.people, "alice", coordinate="com.acme:spam:1.0.1")


ATTACKS = {
    **{f"one byte of the {name}": (one_byte(name), GavialError) for name in FILES},
    **{
        f"one byte of the {name}, and the card follows": (one_byte_and_card(name), UntrustedRelease)
        for name in FILES
        if name != "-card.json"
    },
    **{
        f"the card's {field}": (card_field(field, value), UntrustedRelease)
        for field, value in {
            "created": "2020-01-01T00:00:00+00:00",
            "metrics": {"auc": 0.99},
            "owner": "Mallory",
            "author": "mallory",
            "git": {"commit": "0" * 40},
            "libraries": ["org.evil:miner:1.0"],
            "python_modules": ["evil"],
            "runtime": {"coordinate": "io.gavial:gavial:9.9.9", "sha256": "0" * 64},
            "watermark": None,
            "digest": "0" * 64,
        }.items()
    },
    "the card's coordinate": (card_field("coordinate", "com.acme:churn:1.0.0"), CorruptRelease),
    "a file left out of the card": (
        lambda there: there.files.card(lambda card: card["files"].pop()),
        UntrustedRelease,
    ),
    "a file added to the card": (extra_file, UntrustedRelease),
    **{
        f"no {name}": (missing(name), CorruptRelease)
        for name in ("jar", "-metadata.xml", "-cyclonedx.json")
    },
    "no signature": (missing("-signature.json"), UntrustedRelease),
    "an empty signature": (
        lambda there: there.files.write("-signature.json", b""),
        CorruptRelease,
    ),
    "signed by another": (by_mallory, UntrustedRelease),
    "signed by another, with the name of the right key": (by_mallory_as_alice, UntrustedRelease),
    "signed by the right one, as another model": (by_alice_for_another, UntrustedRelease),
    "the signature of an older version": (replayed(["-signature.json"]), UntrustedRelease),
    "the jar of an older version": (replayed(["jar"]), CorruptRelease),
    "an older version whole, under the new names": (
        replayed([*FILES, "-signature.json"]),
        CorruptRelease,
    ),
    "an older version whole, its numbers changed": (renamed_whole, UntrustedRelease),
    "the statement's coordinate": (
        statement_field(lambda said: said["subject"][0].update(name="com.acme:churn:1.0.1 ")),
        UntrustedRelease,
    ),
    "the statement's digests": (
        statement_field(lambda said: said["predicate"]["resources"].pop()),
        UntrustedRelease,
    ),
    "the name of the key": (
        bundle_field(
            lambda content: content["verificationMaterial"]["publicKey"].update(hint="0" * 64)
        ),
        UntrustedRelease,
    ),
    "the kind of payload": (
        bundle_field(lambda content: content["dsseEnvelope"].update(payloadType="text/plain")),
        CorruptRelease,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_tampered_with_is_not_handed_over(
    name, version, released, people, policy, tmp_path
):
    policy()
    attack, error = ATTACKS[name]
    released("1.0.1").download(tmp_path / "before")
    attack(Scene(version, people))
    with pytest.raises(error):
        released("1.0.1").download(tmp_path / "after")


@pytest.mark.parametrize("name", ATTACKS)
def test_and_verify_says_so(name, version, released, people, policy):
    policy()
    attack, _ = ATTACKS[name]
    attack(Scene(version, people))
    with pytest.raises((CorruptRelease, UntrustedRelease)):
        released("1.0.1").verify()


def test_members_of_a_jar_that_are_not_as_its_manifest_says_are_all_named(
    version, released, people, policy
):
    policy()
    files = version("1.0.1")
    place = files.file(".jar")
    with zipfile.ZipFile(place) as jar:
        content = [(entry, jar.read(entry)) for entry in jar.infolist()]
    changed = [entry.filename for entry, _ in content if "/metadata/" in entry.filename][-2:]
    with zipfile.ZipFile(place, "w") as jar:
        for entry, data in content:
            jar.writestr(entry, data[::-1] if entry.filename in changed else data)
    files.write(".jar", place.read_bytes())
    files.follow(".jar")
    sign(files, people, "alice")  # whoever may sign makes a jar that contradicts itself
    with pytest.raises(CorruptRelease) as raised:
        released("1.0.1").verify()
    assert all(name in str(raised.value) for name in changed)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("pom", b"<version>1.0.1<", b"<version>1.0.2<", "is that of 'com.acme:churn:1.0.2'"),
        ("pom", b"<artifactId>gavial<", b"<artifactId>other<", "depends on io.gavial:other:"),
        ("-metadata.xml", b"com.acme:churn:1.0.1", b"com.acme:churn:1.0.2", "is that of"),
        ("-metadata.xml", b"<digest>", b"<digest>0", "made from another model"),
        ("-metadata.xml", b"<value>0.5<", b"<value>0.7<", "'threshold' of "),
        ("-metadata.xml", b"LogisticRegressionModel<", b"SpamModel<", "its stages are"),
    ],
)
def test_files_that_contradict_each_other_are_found_even_if_signed(
    name, old, new, said, version, released, people, policy
):
    policy()
    files = version("1.0.1")
    before = files.file(suffix(name)).read_bytes()
    assert old in before
    files.write(suffix(name), before.replace(old, new))
    files.follow(suffix(name))
    sign(files, people, "alice")
    with pytest.raises(CorruptRelease, match=re.escape(said)):
        released("1.0.1").verify()


def test_a_runtime_that_was_exchanged_is_found(repository, released, policy):
    policy()
    released("1.0.1").verify()
    (jar,) = (repository / "io" / "gavial" / "gavial").rglob("*.jar")
    jar.write_bytes(jar.read_bytes() + b" ")
    with pytest.raises(CorruptRelease, match=r"is not what it was when com\.acme:churn:1\.0\.1"):
        released("1.0.1").verify()


@pytest.mark.parametrize(
    "pipeline",
    [
        [{"uid": 1, "class": []}],
        [{"uid": "a", "stages": 7}],
        [{}] * 4,
        "same, but for its parameters",
        "same, but for its stages",
    ],
)
def test_a_pipeline_that_is_none_is_found(pipeline, version, released, people):
    files = version("1.0.1")

    def change(card):
        if isinstance(pipeline, list):
            card["pipeline"] = pipeline
        elif "parameters" in pipeline:
            card["pipeline"][0]["parameters"] = 7
        else:
            card["pipeline"][0]["stages"] = 7

    files.card(change)
    sign(files, people, "alice")
    with pytest.raises(CorruptRelease, match="pipeline"):
        released("1.0.1").verify()


def test_every_problem_is_named_at_once(version, released, policy):
    policy()
    files = version("1.0.1")
    for name in ("jar", "pom"):
        add_byte(files, name)
    files.file("-signature.json").unlink()
    with pytest.raises(CorruptRelease) as raised:
        released("1.0.1").verify()
    for part in ("churn-1.0.1.jar", "churn-1.0.1.pom", "is not signed"):
        assert part in str(raised.value)


def test_the_keys_of_the_tests_differ(people):
    found = {
        keys.public((people / f"{name}.pub").read_bytes(), name).fingerprint
        for name in ("alice", "mallory")
    }
    assert len(found) == 2
