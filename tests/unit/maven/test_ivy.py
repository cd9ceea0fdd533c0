"""`ivysettings.xml` and the realm that a server names."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.maven.coordinate import Module
from gavial.maven.ivy import Login, Resolver, ivysettings, realm_of

URL = "https://nexus.test/models/"
NEXUS = Resolver(
    "models",
    "https://Nexus.acme.com:8443/repository/models/",
    Login("Sonatype Nexus", "USER_VARIABLE", "PASSWORD_VARIABLE"),
)
CENTRAL = Resolver("central", "https://repo1.maven.org/maven2/")
tokens = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("challenge", "realm"),
    [
        ('BASIC realm="Sonatype Nexus Repository Manager"', "Sonatype Nexus Repository Manager"),
        ('Basic charset="UTF-8", realm="a, b"', "a, b"),
        ("Basic realm=plain", "plain"),
        ('Bearer realm="https://gitea.acme.com/token", Basic realm="Gitea"', "Gitea"),
        ('Bearer realm="token"', None),
        ("Negotiate", None),
        ("", None),
        (None, None),
    ],
)
def test_the_realm_of_the_basic_challenge_is_found(challenge, realm):
    assert realm_of(challenge) == realm


@given(realm=texts, others=st.lists(st.tuples(tokens, texts), max_size=3))
def test_any_realm_is_found_among_other_challenges(realm, others):
    before = [f"X{scheme} realm={quoted(text)}" for scheme, text in others]
    assert realm_of(", ".join([*before, f"Basic realm={quoted(realm)}"])) == realm


def test_a_login_names_variables_and_the_host_without_its_port():
    root = ElementTree.fromstring(ivysettings(NEXUS, [CENTRAL], ["com.acme"]))
    assert root.find("credentials/credentials").attrib == {
        "host": "Nexus.acme.com",
        "realm": "Sonatype Nexus",
        "username": "${env.USER_VARIABLE}",
        "passwd": "${env.PASSWORD_VARIABLE}",
    }


def test_ours_is_asked_first_and_alone_for_its_groups():
    root = ElementTree.fromstring(ivysettings(NEXUS, [CENTRAL], ["com.acme", "io.gavial"]))
    chain = root.find("resolvers/chain")
    assert chain.get("returnFirst") == "true"
    assert [one.get("ref") for one in chain] == ["models", "central"]
    rules = {rule.get("organisation"): rule.get("resolver") for rule in root.iter("module")}
    assert rules == {"com.acme": "models", "io.gavial": "models"}


@given(url=texts, name=texts)
def test_any_text_survives_the_file(url, name):
    root = ElementTree.fromstring(ivysettings(Resolver(name, url), [], []))
    assert (root.find("resolvers/ibiblio").get("root")) == url


def test_repositories_of_one_name_are_told_apart():
    mirror = Resolver("nexus", "https://mirror.test/")
    root = ElementTree.fromstring(ivysettings(Resolver("nexus", URL), [mirror], ["com.acme"]))
    names = {one.get("name"): one.get("root") for one in root.iterfind("resolvers/ibiblio")}
    assert names == {"nexus": URL, "nexus-2": "https://mirror.test/"}
    assert [one.get("ref") for one in root.iterfind("resolvers/chain/resolver")] == list(names)
    assert [one.get("resolver") for one in root.iterfind("modules/module")] == ["nexus"]


def test_verified_modules_come_from_their_folder_and_their_groups_from_the_repository():
    folder = Resolver("verified", "file:///cache/")
    churn = Module("com.acme", "churn")
    data = ivysettings(Resolver("models", URL), [], ["com.acme"], (folder, [churn]))
    root = ElementTree.fromstring(data)
    rules = [(r.get("organisation"), r.get("name"), r.get("resolver")) for r in root.iter("module")]
    assert rules == [("com.acme", "churn", "verified"), ("com.acme", None, "models")]
    refs = [one.get("ref") for one in root.iterfind("resolvers/chain/resolver")]
    assert refs == ["verified", "models"]
