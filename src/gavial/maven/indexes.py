"""What servers that list no folders offer instead: their own searches, by the URL's shape. Pure.

A server is not known by its name. Each search that a URL could belong to is tried, and counts
only where the answer is of the form that it ought to have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

# What names a page holds, as (group, artifact), and the path of the next page.
Page = tuple[tuple[tuple[str, str], ...], str | None]


@dataclass(frozen=True)
class Answer:
    """A page as it came: which one it is, from 1, and what is in it."""

    number: int
    document: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Index:
    """A search of a server: the path of its first page, and how to read one.

    `read` raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` where the answer is
    of another form.
    """

    first: str
    read: Callable[[Answer], Page]


def of(path: str) -> tuple[Index, ...]:
    """The searches that a repository at this path of a server may have.

    >>> [index.first for index in of("/repository/models/")]
    ['/service/rest/v1/search?repository=models&maven.classifier=card&maven.extension=json']
    """
    found = []
    for pattern, make in _SHAPES:
        match = re.fullmatch(pattern, path)
        if match:
            found.append(make(**match.groupdict()))
    return tuple(found)


def _nexus(root: str, name: str) -> Index:
    """Nexus 3: https://help.sonatype.com/en/search-api.html"""
    query = {"repository": name, "maven.classifier": "card", "maven.extension": "json"}
    first = f"{root}/service/rest/v1/search?{urlencode(query)}"

    def read(answer: Answer) -> Page:
        names = tuple((str(item["group"]), str(item["name"])) for item in answer.document["items"])
        token = answer.document["continuationToken"]
        return names, f"{first}&{urlencode({'continuationToken': token})}" if token else None

    return Index(first, read)


def _artifactory(root: str, name: str) -> Index:
    """Artifactory's GAVC search: https://jfrog.com/help/r/jfrog-rest-apis/gavc-search"""
    first = f"{root}/api/search/gavc?{urlencode({'c': 'card', 'repos': name})}"

    def read(answer: Answer) -> Page:
        files = [
            item["uri"].rpartition(f"/api/storage/{name}/")[2]
            for item in answer.document["results"]
        ]
        folders = [file.split("/")[:-2] for file in files]
        return tuple((".".join(f[:-1]), f[-1]) for f in folders if len(f) > 1), None

    return Index(first, read)


def _gitlab(root: str, kind: str, name: str) -> Index:
    """GitLab: https://docs.gitlab.com/api/packages/"""
    query = urlencode({"package_type": "maven", "per_page": 100})
    first = f"{root}/api/v4/{kind}/{name}/packages?{query}"

    def read(answer: Answer) -> Page:
        names = [item["name"].rpartition("/") for item in answer.document]
        following = answer.headers.get("X-Next-Page", "")
        return (
            tuple((group.replace("/", "."), artifact) for group, _, artifact in names if group),
            f"{first}&page={quote(following)}" if following else None,
        )

    return Index(first, read)


def _gitea(root: str, owner: str) -> Index:
    """Gitea and Forgejo: https://docs.gitea.com/api/ (`GET /packages/{owner}`)"""
    first = f"{root}/api/v1/packages/{owner}?{urlencode({'type': 'maven', 'limit': 50})}"

    def read(answer: Answer) -> Page:
        names = [item["name"].partition(":") for item in answer.document]
        return (
            tuple((group, artifact) for group, colon, artifact in names if colon),
            f"{first}&page={answer.number + 1}" if names else None,
        )

    return Index(first, read)


_SHAPES: tuple[tuple[str, Callable[..., Index]], ...] = (
    (r"(?P<root>.*)/repository/(?P<name>[^/]+)/", _nexus),
    (r"(?P<root>.*)/api/packages/(?P<owner>[^/]+)/maven/", _gitea),
    (
        r"(?P<root>.*)/api/v4/(?P<kind>projects|groups)/(?P<name>[^/]+)/(-/)?packages/maven/",
        _gitlab,
    ),
    (r"(?P<root>.*/artifactory)/(?P<name>[^/]+)/", _artifactory),
)
