from __future__ import annotations

import pytest

from gavial.errors import ConfigurationError
from gavial.monitoring.rule_file import Said, Settings, parse
from gavial.monitoring.verdict import Level


def test_a_file_may_say_everything():
    settings, said = parse(
        """
        format = 1
        description = "Flights"
        learned = false
        minimum = 500
        labelled = 0.2
        windows_to_alert = 3
        windows_to_clear = 4
        windows_together = 6
        windows_to_doubt = 5
        gross = 2
        [[rule]]
        metric = "auc"
        low = 0.7
        minimum = 1000
        [[rule]]
        metric = "psi"
        column = "carrier"
        segment = "origin=JFK"
        high = 0.3
        level = "alert"
        [[rule]]
        metric = "null_rate"
        off = true
        """
    )
    assert settings == Settings(False, 500, 0.2, 3, 4, 6, 5, 2.0)
    assert said == (
        Said("auc", "", None, 0.7, minimum=1000, source="rules.toml"),
        Said("psi", "carrier", "origin=JFK", None, 0.3, None, Level.ALERT, False, "rules.toml"),
        Said("null_rate", off=True, source="rules.toml"),
    )


def test_an_empty_file_says_nothing():
    assert parse("") == (Settings(), ())


RULE = '[[rule]]\nmetric = "auc"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("= 1", r"my\.toml is not TOML"),
        ("format = 2", "have format 2; this Gavial reads up to 1"),
        ("format = true", "format of the rules my.toml is True: expected 1"),
        ("description = 1", "description of the rules my.toml is 1: expected a text"),
        ("windows_to_allert = 2", "Did you mean 'windows_to_alert'"),
        ("windows_to_alert = 0", "is 0: expected a whole number from 1 to 1000"),
        ("windows_to_alert = 2.0", "is 2.0: expected a whole number"),
        ("learned = 1", "learned of the rules my.toml is 1: expected true or false"),
        ("labelled = 2", "is 2: expected a share from 0 to 1"),
        ("gross = 0.5", r"is 0.5: expected a number from 1, such as 2\.0"),
        ("minimum = -1", "is -1: expected a whole number"),
        ("rule = 3", r"rule of the rules my.toml is 3: expected tables, each under a line"),
        ("[rule]\nmetric = 'auc'", r"is a table: expected tables, each under a line \[\[rule\]\]"),
        ("[[rule]]\nlow = 1", "rule 1.metric of the rules my.toml is missing: expected the name"),
        ("[[rule]]\nmetric = 'acu'\nlow = 1", "Unknown metric 'acu' in rule 1 .* mean 'auc'"),
        (RULE, "rule 1 of the rules my.toml says nothing of 'auc': expected low, high"),
        (RULE + "lo = 1", "Unknown key 'lo' in rule 1 of the rules my.toml. Did you mean 'low'"),
        (RULE + "low = '0.7'", "rule 1.low of the rules my.toml is '0.7': expected a number"),
        (RULE + "low = true", "is True: expected a number"),
        (RULE + "low = nan", "is nan: expected a number"),
        (RULE + "high = inf", "is inf: expected a number"),
        (RULE + "low = 0.8\nhigh = 0.7", "is 0.8: expected no more than high, which is 0.7"),
        (RULE + "level = 'warn'", "is 'warn': expected one of 'alert', 'alert without labels'"),
        (RULE + "level = []", "is a list: expected one of"),
        (RULE + "off = true\nlow = 1", "is True: expected no bounds, level or minimum beside it"),
        (RULE + "column = 'x'\nlow = 1", "expected none: auc is of the model as a whole"),
        (RULE + "segment = 'AA'\nlow = 1", "is 'AA': expected a text such as 'carrier=AA'"),
        (
            "[[rule]]\nmetric = 'psi'\ncolumn = 'carier'\nhigh = 1",
            "Unknown column 'carier' in rule 1 of the rules my.toml. Did you mean 'carrier'",
        ),
    ],
)
def test_a_wrong_file_says_which_key_what_was_given_and_what_was_expected(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(text, "my.toml", ["carrier", "hour"])


def test_too_many_rules_are_refused():
    with pytest.raises(ConfigurationError, match="has 1001 rules: expected 1000 at most"):
        parse((RULE + "low = 1\n") * 1001)
