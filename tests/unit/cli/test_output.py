"""Results in a pipe."""

from hypothesis import given
from hypothesis import strategies as st

from gavial.cli import output
from gavial.cli.schema_view import fields
from gavial.model import schemas

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["type", "fields", "name", "elementType", "class", "keyType"])
            | st.text(),
            inner,
        )
    ),
)


@given(st.lists(st.tuples(st.text("ab", min_size=1), st.text("cd", min_size=1)), min_size=1))
def test_columns_stand_one_below_the_other_and_lose_nothing(rows):
    lines = output.aligned(rows)
    assert [tuple(line.split()) for line in lines] == rows
    assert (
        len({line.index(row[1], len(row[0])) for line, row in zip(lines, rows, strict=True)}) == 1
    )


def test_a_table_in_a_pipe_has_no_boxes_no_tabs_and_no_escapes(capsys):
    output.table(("model", "newest"), [("com.acme:churn", "1.0\x1b[31m"), ("a:" + "b" * 300, "2")])
    name = "a:" + "b" * 300
    assert capsys.readouterr().out.splitlines() == [
        f"{'MODEL':<302}  NEWEST",
        f"{'com.acme:churn':<302}  1.0\\x1b[31m",
        f"{name}  2",
    ]


def test_a_document_cannot_steer_a_terminal(capsys):
    output.document({"a": "\x1b\u202e\x9b"})
    assert capsys.readouterr().out == '{\n  "a": "\\u001b\\u202e\\u009b"\n}\n'


def test_further_lines_of_a_diagnostic_cannot_pass_for_another(capsys):
    output.note("one\ngavial: two\r\n\x1bthree\n")
    assert capsys.readouterr().err == "gavial: one\n  gavial: two\n  \\x1bthree\n"


@given(JSON)
def test_whatever_a_schema_holds_is_shown(value):
    assert isinstance(schemas.name(value), str)
    assert all(isinstance(cell, str) for row in fields(value) for cell in row)


def test_a_schema_is_shown_as_sql_writes_types():
    schema = {
        "type": "struct",
        "fields": [
            {"name": "id", "type": "long", "nullable": False, "metadata": {}},
            {"name": "v", "type": {"type": "udt", "class": "org.x.VectorUDT"}, "nullable": True},
            {"name": "m", "type": {"type": "map", "keyType": "string", "valueType": "int"}},
            {
                "name": "s",
                "type": {"type": "struct", "fields": [{"name": "a", "type": "double"}]},
            },
        ],
    }
    assert fields(schema) == [
        ("id", "long, never null"),
        ("v", "vector"),
        ("m", "map<string, int>"),
        ("s", "struct<a: double>"),
    ]
