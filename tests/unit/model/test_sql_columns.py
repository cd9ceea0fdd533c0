import pytest

from gavial.model.sql_columns import Selected, selected
from gavial.model.sql_tokens import Refused


@pytest.mark.parametrize(
    ("statement", "reads", "makes", "passes"),
    [
        ("SELECT * FROM __THIS__", (), (), True),
        ("SELECT *, 'a:b:1.0.0' AS `pipeline` FROM __THIS__", (), ("pipeline",), True),
        ("SELECT a, b AS c FROM __THIS__;", ("a", "b"), ("a", "c"), False),
        ("SELECT DISTINCT a, 1.5 * b c FROM __THIS__", ("a", "b"), ("a", "c"), False),
        ("SELECT t.*, t.a + t.b x FROM __THIS__ AS t WHERE t.c > 1e3", "abc", ("x",), True),
        ("SELECT *, CAST(a AS decimal(10, 2)) AS d FROM __THIS__", ("a",), ("d",), True),
        ("SELECT *, a.b.c AS d FROM __THIS__", ("a",), ("d",), True),
        ("SELECT a.b FROM __THIS__", ("a",), ("b",), False),
        ("SELECT *, a AS b, b + 1 AS c FROM __THIS__", ("a",), ("b", "c"), True),
        ("SELECT *, a AS b FROM __THIS__ WHERE b > 1", ("a", "b"), ("b",), True),
        ("SELECT a, count(*) AS n FROM __THIS__ GROUP BY a HAVING n > 1", "a", ("a", "n"), False),
        ("SELECT *, date '2024-01-01' < a AS late FROM __THIS__", ("a",), ("late",), True),
        ("SELECT *, CASE WHEN a IS NULL THEN 0 ELSE b END AS c FROM __THIS__", "ab", "c", True),
        ("SELECT *, CASE WHEN a THEN 0 END c FROM __THIS__", "a", "c", True),
        ("SELECT struct(a AS x, b AS y) AS s FROM __THIS__", "ab", "s", False),
        ("SELECT a[0] AS x, m['k'] AS y FROM __THIS__", "am", "xy", False),
        ("SELECT a + 1 FROM __THIS__", ("a",), (), False),
        ("SELECT `a b`, `c``d` FROM __THIS__ -- and no e", ("a b", "c`d"), ("a b", "c`d"), False),
    ],
)
def test_a_plain_statement_is_read(statement, reads, makes, passes):
    assert selected(statement) == Selected(tuple(reads), tuple(makes), passes)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE a",
        "SELECT * FROM (SELECT a FROM __THIS__)",
        "SELECT *, (SELECT max(a) FROM __THIS__) AS b FROM __THIS__",
        "SELECT a FROM __THIS__ UNION SELECT b FROM __THIS__",
        "SELECT transform(a, x -> x + 1) AS b FROM __THIS__",
        "SELECT *, a::double AS b FROM __THIS__",
        "SELECT *, sum(a) OVER (PARTITION BY b) AS c FROM __THIS__",
        "SELECT *, extract(day FROM a) AS b FROM __THIS__",
        "SELECT *, current_date AS b FROM __THIS__",
        "SELECT *, a + interval 1 day AS b FROM __THIS__",
        "SELECT * FROM __THIS__ LATERAL VIEW explode(a) t AS b",
        "SELECT *, f(x => a) AS b FROM __THIS__",
        "SELECT , FROM __THIS__",
    ],
)
def test_what_is_not_plain_is_not_guessed(statement):
    with pytest.raises(Refused):
        selected(statement)
