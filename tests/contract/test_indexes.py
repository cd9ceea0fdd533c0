"""The catalogue of servers that list no folders, through their own searches.

The answers are of the form that each server documents; Nexus 3's is also tested on Nexus 3.
"""

from __future__ import annotations

import pytest

from gavial import limits
from gavial.errors import RepositoryRefused, RepositoryUnavailable
from gavial.maven import catalog

SEARCH = "/service/rest/v1/search?repository=models&maven.classifier=card&maven.extension=json"
GITLAB = "/git/api/v4/projects/7/packages?package_type=maven&per_page=100"
GITEA = "/api/v1/packages/acme?type=maven&limit=50"
ARTIFACTORY = "/artifactory/api/search/gavc?c=card&repos=models"
STORAGE = "https://acme.jfrog.test/artifactory/api/storage/models"


def component(group, name):
    return {"repository": "models", "group": group, "name": name, "version": "1.0.0"}


SERVERS = {
    "nexus": (
        "repository/models",
        {
            SEARCH: (
                {"items": [component("com.acme", "churn")] * 2, "continuationToken": "a b"},
                {},
            ),
            f"{SEARCH}&continuationToken=a+b": (
                {"items": [component("com.acme.eu", "fraud")], "continuationToken": None},
                {},
            ),
        },
    ),
    "gitlab": (
        "git/api/v4/projects/7/packages/maven",
        {
            GITLAB: (
                [{"name": "com/acme/churn", "version": "1.0.0"}],
                {"X-Next-Page": "2"},
            ),
            f"{GITLAB}&page=2": (
                [{"name": "com/acme/eu/fraud", "version": None}, {"name": "plain"}],
                {"X-Next-Page": ""},
            ),
        },
    ),
    "gitea": (
        "api/packages/acme/maven",
        {
            GITEA: ([{"name": "com.acme:churn"}, {"name": "com.acme:churn"}], {}),
            f"{GITEA}&page=2": ([{"name": "com.acme.eu:fraud"}, {"name": "old-form"}], {}),
            f"{GITEA}&page=3": ([], {}),
        },
    ),
    "artifactory": (
        "artifactory/models",
        {
            ARTIFACTORY: (
                {
                    "results": [
                        {"uri": f"{STORAGE}/com/acme/churn/1.0.0/churn-1.0.0-card.json"},
                        {"uri": f"{STORAGE}/com/acme/eu/fraud/1.0.0/fraud-1.0.0-card.json"},
                    ]
                },
                {},
            )
        },
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_search_names_the_modules(serve, connect, name):
    base, pages = SERVERS[name]
    repository = connect(serve(base=base, pages=pages).url)
    found = [str(module) for module in catalog.modules(repository)]
    assert found == ["com.acme:churn", "com.acme.eu:fraud"]


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("document", [{}, [], "page", [{"name": 3}], {"items": None}, None])
def test_an_answer_of_another_form_is_no_search(serve, connect, name, document):
    base, pages = SERVERS[name]
    repository = connect(serve(base=base, pages={next(iter(pages)): (document, {})}).url)
    try:
        assert catalog.modules(repository) == ()
    except RepositoryRefused as error:
        assert "lists nothing" in str(error)


def test_a_server_without_a_search_says_to_name_a_model(serve, connect):
    with pytest.raises(RepositoryRefused, match=r"gavial list com\.acme:churn"):
        catalog.modules(connect(serve().url))


def test_a_search_is_asked_with_the_credentials_of_the_repository(serve, connect):
    base, pages = SERVERS["gitea"]
    server = serve(base=base, pages=pages, username="ann", password="secret")
    assert catalog.modules(connect(server.url, credentials=("ann", "secret")))
    assert {request.who for request in server.asked("GET", "packages/acme")} <= {"ann"}


def test_a_search_without_an_end_is_given_up(serve, connect, monkeypatch):
    monkeypatch.setattr(limits, "SEARCH_PAGES", 3)
    again = {"items": [component("com.acme", "churn")], "continuationToken": "1"}
    pages = {SEARCH: (again, {}), f"{SEARCH}&continuationToken=1": (again, {})}
    with pytest.raises(RepositoryUnavailable, match="no end"):
        catalog.modules(connect(serve(pages=pages).url))


def test_names_that_are_no_modules_of_ours_are_left_out(serve, connect):
    items = [component("com.acme", "Churn Model"), component("com.acme", "churn")]
    pages = {SEARCH: ({"items": items, "continuationToken": None}, {})}
    assert list(map(str, catalog.modules(connect(serve(pages=pages).url)))) == ["com.acme:churn"]
