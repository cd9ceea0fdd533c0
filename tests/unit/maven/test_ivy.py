"""`ivysettings.xml` and the realm that a server names."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.maven.ivy import Login, Resolver, ivysettings, realm_of

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
