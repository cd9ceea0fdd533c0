import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import UnsafeModel
from gavial.model import sql
from gavial.model.safety import check_classes, check_sql
from gavial.model.saved_model import SavedModel
from gavial.model.watermark import statement

ALLOWED = [
    "SELECT *, 'unreleased' AS `pipeline` FROM __THIS__",
    "select a, b + 1 as c from __THIS__;",
    "SELECT * FROM __THIS__ t WHERE t.a > 1.5e3 AND b IN (1, 2, 3)",
    "SELECT * FROM __THIS__ AS t WHERE a IS NOT NULL GROUP BY a, b HAVING count(*) > 1",
    "SELECT a, count(*) AS n FROM __THIS__ GROUP BY a, b ORDER BY a DESC, n LIMIT 10",
    "SELECT extract(day FROM ts) d, trim(BOTH ' ' FROM s), substring(s FROM 2 FOR 3) FROM __THIS__",
    "SELECT CASE WHEN a = 'x' THEN 1 ELSE 0 END AS y FROM __THIS__",
    "SELECT a -- the id; DROP TABLE x\n, b /* FROM secret */ FROM __THIS__",
    "SELECT transform(xs, x -> x + 1), map('a', 1)['a'] FROM __THIS__",
    "SELECT row_number() OVER (PARTITION BY a, b ORDER BY c, d) FROM __THIS__",
    "SELECT * FROM (SELECT a, b FROM __THIS__) t WHERE a = 1",
    "SELECT * FROM __THIS__ WHERE a = (SELECT max(a) FROM __THIS__)",
    "SELECT a FROM __THIS__ UNION ALL SELECT b FROM __THIS__",
    "SELECT k, v FROM __THIS__ LATERAL VIEW explode(m) e AS k, v WHERE k = 'a'",
    "SELECT 'it''s; \\' FROM secret', \"FROM x\", `FROM secret` FROM __THIS__",
    "SELECT date'2020-01-01', a::int, input_file_name(), current_user() FROM __THIS__",
    "SELECT * EXCEPT (a, b) FROM __THIS__",
    "SELECT `a`, 'b' FROM (SELECT 'a' FROM __THIS__)",
]

REFUSED = [
    "DROP TABLE customers",
    "CREATE TABLE t AS SELECT * FROM __THIS__",
    "ADD FILE 'https://evil.example/x'",
    "SET spark.sql.shuffle.partitions=1",
    "",
    ";",
    "FROM __THIS__ SELECT *",
    "WITH x AS (SELECT 1) SELECT * FROM __THIS__",
    "SELECT 1",
    "SELECT * FROM text.`file:/etc/passwd`",
    "SELECT * FROM __THIS__.x",
    "SELECT * FROM `__THIS__`",
    "SELECT * FROM __this__",
    "SELECT * FROM x__THIS__",
    "SELECT * FROM __THIS__x",
    "SELECT * FROM secret__THIS__",
    "SELECT * FROM __THIS__, secret",
    "SELECT * FROM __THIS__ t, secret",
    "SELECT * FROM __THIS__ AS t, secret",
    "SELECT * FROM __THIS__ `t`, secret",
    "SELECT * FROM __THIS__ where, secret",
    "SELECT * FROM __THIS__ where (a, b), secret",
    "SELECT * FROM __THIS__ AS order, secret",
    "SELECT * FROM __THIS__ order, secret",
    "SELECT * FROM __THIS__ limit, secret",
    "SELECT * FROM __THIS__ window (a), secret",
    "SELECT * FROM __THIS__ select, secret",
    "SELECT * FROM __THIS__ t (a, b), secret",
    "SELECT * FROM __THIS__ JOIN secret",
    "SELECT * FROM __THIS__ CROSS JOIN secret",
    "SELECT * FROM __THIS__ UNION SELECT * FROM secret",
    "SELECT * FROM __THIS__ UNION TABLE secret",
    "SELECT * FROM __THIS__ EXCEPT FROM secret SELECT *",
    "SELECT * FROM __THIS__ WHERE a IN (SELECT a FROM secret)",
    "SELECT * FROM __THIS__ WHERE EXISTS (TABLE secret)",
    "SELECT * FROM __THIS__ WHERE EXISTS (FROM secret SELECT 1)",
    "SELECT (SELECT max(a) FROM secret) FROM __THIS__",
    "SELECT trim((SELECT a FROM secret)) FROM __THIS__",
    "SELECT trim(SELECT a FROM secret) FROM __THIS__",
    "SELECT x.is distinct FROM secret WHERE a IN (SELECT 1 FROM __THIS__)",
    "SELECT * FROM (__THIS__, secret)",
    "SELECT * FROM (SELECT * FROM __THIS__) t, secret",
    "SELECT * FROM (SELECT * FROM __THIS__), secret",
    "SELECT * FROM read_files('/etc')",
    "SELECT * FROM __THIS__, LATERAL range(3)",
    "SELECT * FROM __THIS__ LATERAL (SELECT 1)",
    "SELECT * FROM __THIS__ |> JOIN secret",
    "SELECT TRANSFORM(a) USING 'cat /etc/passwd' FROM __THIS__",
    "SELECT reflect('java.lang.System', 'exit', 1) FROM __THIS__",
    "SELECT `reflect`('java.lang.System', 'exit') FROM __THIS__",
    "SELECT REFLECT /* */ ('java.lang.System', 'exit') FROM __THIS__",
    "SELECT java_method('a', 'b') FROM __THIS__",
    "SELECT try_reflect('a', 'b') FROM __THIS__",
    "SELECT system.builtin.reflect('a', 'b') FROM __THIS__",
    "SELECT `a`.`b`('a') FROM __THIS__",
    "SELECT IDENTIFIER('reflect')('a') FROM __THIS__",
    "SELECT \"reflect\"('a') FROM __THIS__",
    "SELECT from_avro(a, '{}', map('avroSchemaUrl', 'file:/x')) FROM __THIS__",
    "SELECT from_xml(a, 'b', map('rowValidationXSDPath', '/x')) FROM __THIS__",
    "SELECT ai_query('m', a) FROM __THIS__",
    "SELECT secret('a', 'b') FROM __THIS__",
    "SELECT http_request(a) FROM __THIS__",
    "SELECT '${env:SECRET}' FROM __THIS__",
    "SELECT 1 FROM __THIS__ -- ${spark.app.name}",
    "SELECT 1 FROM __THIS__; DROP TABLE x",
    "SELECT r'\\' , 'FROM __THIS__ ' FROM secret",
    "SELECT 1.5r'\\', * FROM __THIS__",
    "SELECT 1 FROM __THIS__ -- \\\n, secret",
    "SELECT /* /* */ 1 FROM __THIS__ */ FROM secret",
    "SELECT /*+ BROADCAST(a) */ 1 FROM __THIS__",
    "SELECT 1 /* FROM __THIS__",
    "SELECT 'a FROM __THIS__",
    "SELECT `a FROM __THIS__",
    "SELECT a) FROM __THIS__",
    "SELECT (a FROM __THIS__",
    "SELECT * FROM (SELECT .FROM __THIS__) t",
    "SELECT * FROM (SELECT FROM (SELECT)) t WHERE EXISTS (SELECT 1 FROM __THIS__)",
    "SELECT * FROM (SELECT VERSION AS OF 1) t WHERE EXISTS (SELECT 1 FROM __THIS__)",
    "SELECT x.FROM __THIS__",
    "SELECT a FROM",
    "SELECT a FROM __THIS__ AS",
    "SELECT a\u00a0FROM __THIS__",
    "SELECT $$a$$ FROM __THIS__",
    "BEGIN SELECT 1; END",
]


@pytest.mark.parametrize("statement", ALLOWED)
def test_one_select_over_its_input_is_allowed(statement):
    assert sql.problem(statement) is None


@pytest.mark.parametrize("statement", REFUSED)
def test_whatever_could_do_more_is_refused(statement):
    assert sql.problem(statement)


@given(st.text(), st.text())
@settings(deadline=None)
def test_no_text_in_quotes_changes_the_verdict(literal, column):
    quoted = literal.replace("\\", "\\\\").replace("'", "\\'").replace("{", "")
    column = column.replace("`", "``").replace("{", "").replace("__THIS__", "")
    assert sql.problem(f"SELECT *, '{quoted}' AS `{column}` FROM __THIS__") is None
    assert sql.problem(f"SELECT *, '{quoted}' AS `{column}` FROM secret")


words = st.sampled_from(
    ["SELECT", "FROM", "WHERE", "--", "/*", "*/", "__THIS__", "secret", *",()'\"`;\\.\ntr"]
)


@given(st.lists(words))
@settings(deadline=None)
def test_an_unescaped_text_cannot_bring_in_another_relation(parts):
    text = " ".join(parts)
    verdict = sql.problem(f"SELECT *, {text} FROM __THIS__, secret")
    # Only where the end became part of a comment or a text is the statement another one.
    assert verdict or any(mark in text for mark in ("--", "/*", "'", '"', "`"))


def test_a_refusal_shows_the_statement_without_control_characters(saved):
    model = SavedModel.read(saved.sql("DROP TABLE \x1b[2J customers " + "x" * 1000))
    with pytest.raises(UnsafeModel) as caught:
        check_sql(model)
    message = str(caught.value)
    assert "SQLTransformer_1 would run this SQL: DROP TABLE  [2J customers" in message
    assert "allow_sql=True" in message
    assert "\x1b" not in message
    assert len(message) < 700


def test_a_statement_runs_where_the_caller_allows_it(saved):
    check_sql(SavedModel.read(saved.sql("DROP TABLE customers")), allow_sql=True)


@pytest.mark.parametrize("python", [False, True])
def test_a_statement_is_found_in_a_nested_pipeline_and_among_defaults(saved, python):
    saved.pipeline((None, "inner", {}), python=python)
    saved.pipeline((None, "bad", {}), where="stages/0_inner", python=python)
    name = f"{'pyspark' if python else 'org.apache.spark'}.ml.feature.SQLTransformer"
    default = {"statement": "DROP TABLE x"}
    good = {"statement": "SELECT * FROM __THIS__"}
    saved.stage("stages/0_inner/stages/0_bad", name, "bad", good, defaultParamMap=default)
    with pytest.raises(UnsafeModel, match="bad would run"):
        check_sql(SavedModel.read(saved.folder))


@pytest.mark.parametrize("uid", ["a b", "a;b", "a.b", "a`b", "ä"])
def test_a_uid_that_would_become_sql_is_refused(saved, uid):
    model = SavedModel.read(saved.sql("SELECT * FROM __THIS__", uid))
    with pytest.raises(UnsafeModel, match="uid"):
        check_sql(model, allow_sql=True)


def test_a_statement_that_is_no_text_is_refused(saved):
    with pytest.raises(UnsafeModel, match="no text"):
        check_sql(SavedModel.read(saved.sql(["SELECT * FROM __THIS__"])))


def test_a_watermark_is_allowed(saved):
    check_sql(SavedModel.read(saved.sql(statement("com.acme:churn:1.0.3", "a`; --b"))))


def test_models_of_spark_itself_are_safe(churn):
    model = SavedModel.read(churn)
    check_classes(model)
    check_sql(model)


def with_class(saved, name, python=True):
    return SavedModel.read(saved.pipeline((name, "stage_1", {}), python=python))


def test_a_python_class_is_refused_with_the_line_that_declares_it(saved):
    model = with_class(saved, "acme_features.text.Clean")
    with pytest.raises(UnsafeModel, match=r"stage_1 is a acme_features.text.Clean: add python_mod"):
        check_classes(model)
    with pytest.raises(UnsafeModel, match=r'python_modules=\["acme_features"\]'):
        check_classes(model, ["acme", "acme_features.texts"])
    check_classes(model, ["acme_features"])
    check_classes(model, ["acme_features.text"])


def test_a_class_of_a_jvm_library_is_allowed_where_libraries_are_declared(saved):
    model = with_class(saved, "org.example.Encoder", python=False)
    with pytest.raises(UnsafeModel, match=r'requires=\["group:artifact:version"\]'):
        check_classes(model)
    check_classes(model, libraries=["org.example:encoders_2.13:1.0"])


@pytest.mark.parametrize(
    "name",
    [
        "os.System",
        "pyspark.ml.connect.classification.LogisticRegressionModel",
        "pyspark.ml.torch.distributor.TorchDistributor",
        "subprocess.Popen",
        "pyspark.ml.util.json",
        "pyspark.cloudpickle.Pickler",
        "pyspark.sql.SparkSession",
        "org.apache.spark.ml.feature.X$Y",
        "org.apache.spark.sql.SparkSession",
        "org.apache.spark.mlx.Evil",
        "antigravity",
        "a b.C",
        "..a",
        "pyspark.ml.X\u0301",
    ],
)
def test_a_class_that_is_no_stage_is_refused_whatever_is_declared(saved, name):
    model = with_class(saved, name)
    declared = ["os", "subprocess", "pyspark", "antigravity"]
    with pytest.raises(UnsafeModel, match="stage_1"):
        check_classes(model, declared, [] if name.startswith("org.") else ["a:b:1"])


def test_a_class_of_a_notebook_is_refused_with_what_to_do(saved):
    with pytest.raises(UnsafeModel, match="move it into a module"):
        check_classes(with_class(saved, "__main__.Mine"), ["__main__"])


def test_every_undeclared_class_is_reported_at_once(saved):
    folder = saved.pipeline(("a_b.C", "one", {}), ("d.E", "two", {}), python=True)
    with pytest.raises(UnsafeModel, match=r"(?s)one is a.*two is a"):
        check_classes(SavedModel.read(folder))


def test_a_class_deep_within_a_stage_is_found(saved):
    folder = saved.pipeline(("acme.Outer", "outer", {}), python=True)
    saved.stage("stages/0_outer/x/y/z", "evil.Inner", "inner")
    with pytest.raises(UnsafeModel, match="inner is a evil"):
        check_classes(SavedModel.read(folder), ["acme"])
