"""The real deepchecks; skipped where the extra is not installed."""

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.projects import REPOSITORY
from tests.warm import run_python
from totalml.errors import QualityError
from totalml.quality import Deepchecks, QualityReport

# Asking for it before `totalml` does would let it report to its maker.
os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
# On fewer samples deepchecks' drift scores pass its limits by chance.
COUNT = 600


@pytest.fixture(scope="module", autouse=True)
def _deepchecks():
    import warnings

    with warnings.catch_warnings(action="ignore"):
        pytest.importorskip("deepchecks")


@pytest.fixture
def table(snapshot_of):
    def make(shift=0.0, **more):
        generator = np.random.default_rng(0)
        taste = generator.normal(size=COUNT)
        taste[400:] += shift
        pub = generator.choice(["Mulligan's", "Grogan's", "The Long Hall"], COUNT).tolist()
        day = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=k) for k in range(COUNT)]
        labels = generator.choice(["bad", "good"], COUNT).tolist()
        served = generator.random(COUNT) > 0.5
        return snapshot_of(
            labels,
            timestamps=day,
            taste=taste,
            pub=pub,
            poured=day,
            served=served.tolist(),
            age=generator.integers(18, 80, COUNT).tolist(),
            **more,
        )

    return make


@pytest.fixture
def in_order(splits_of):
    return splits_of("t" * 360 + "v" * 40 + "e" * 200)


def found(check, *given):
    """The suite, and the findings after it."""
    suite, *findings = check.findings(*given)
    return suite, findings


def messages(check, snapshot, splits):
    told = found(check, snapshot, splits)[1]
    return {finding.message.split(": ")[1]: finding for finding in told}


def test_a_clean_table_has_no_failed_condition(table, in_order):
    assert messages(Deepchecks(suite="data_integrity", level="stop"), table(), in_order) == {}


def test_a_constant_column_is_found(table, in_order):
    found = messages(Deepchecks(suite="data_integrity", level="stop"), table(same=["x"] * COUNT), in_order)
    assert found["Single Value in Column"].level == "stop"
    assert "'same'" in found["Single Value in Column"].message


def test_drift_between_train_and_test_is_found(table, in_order):
    check = Deepchecks(suite="train_test_validation", skip=("MultivariateDrift",))
    assert "Feature Drift" not in messages(check, table(), in_order)
    found = messages(check, table(shift=3.0), in_order)
    assert "'taste'" in found["Feature Drift"].message
    assert "Multivariate Drift" not in found


def test_time_counts_only_when_asked_for(table, splits_of):
    mixed = splits_of(("t" + "e") * 300)
    quiet = messages(Deepchecks(suite="train_test_validation"), table(), mixed)
    asked = messages(Deepchecks(suite="train_test_validation", by_time=True), table(), mixed)
    leaks = {name for name in asked if name.startswith("Date Train-Test Leakage")}
    assert leaks
    assert not leaks & set(quiet)


def test_metadata_may_be_called_as_our_own_columns_are(table, in_order):
    found = messages(Deepchecks(suite="data_integrity"), table(label=["x", "y"] * 300, id=list(range(COUNT))), in_order)
    assert not any("could not run" in finding.message for finding in found.values())


def test_samples_without_label_are_left_out(snapshot_of, in_order):
    snapshot = snapshot_of(["a", "b", None] * 200, taste=np.random.default_rng(0).normal(size=COUNT))
    assert not any("None" in name for name in messages(Deepchecks(suite="data_integrity"), snapshot, in_order))


def test_a_table_without_metadata_is_said_not_to_be_checked(snapshot_of, in_order):
    suite, [finding] = found(Deepchecks(suite="data_integrity", level="stop"), snapshot_of(["a"] * COUNT), in_order)
    assert suite.outcomes == ()
    assert finding.level == "warn"
    assert "not run" in finding.message


def test_a_misspelt_check_is_refused(table, in_order):
    check = Deepchecks(suite="data_integrity", skip=("ConflictingLabel",))
    with pytest.raises(QualityError, match="did you mean 'ConflictingLabels'"):
        list(check.findings(table(), in_order))


REPEATED = {"conditions": [{"check": "DataDuplicates", "limits": {"max_ratio": 0.6}}]}


@pytest.fixture
def repeated(snapshot_of):
    """Half of the rows come twice."""
    values = [float(k // 2) for k in range(COUNT)]
    return snapshot_of(["a", "a", "b", "b"] * (COUNT // 4), taste=values)


def test_a_limit_of_the_recipe_replaces_that_of_the_suite(repeated, in_order):
    assert "50%" in messages(Deepchecks(suite="data_integrity"), repeated, in_order)["Data Duplicates"].message
    assert "Data Duplicates" not in messages(Deepchecks(suite="data_integrity", **REPEATED), repeated, in_order)


def test_what_the_recipe_states_fails_where_deepchecks_only_warns(repeated, in_order):
    stated = Deepchecks(suite="data_integrity", conditions=[{"check": "DataDuplicates"}])
    for check, status in ((Deepchecks(suite="data_integrity"), "warned"), (stated, "failed")):
        suite, _ = found(check, repeated, in_order)
        assert [one.status for one in suite.outcomes if one.check == "Data Duplicates"] == [status]


def test_a_level_may_differ_from_condition_to_condition(repeated, in_order):
    check = Deepchecks(suite="data_integrity", conditions=[{"check": "DataDuplicates", "level": "stop"}])
    levels = {name: finding.level for name, finding in messages(check, repeated, in_order).items()}
    assert levels.pop("Data Duplicates") == "stop"
    assert set(levels.values()) <= {"warn"}


def test_a_check_that_the_suite_lacks_is_added(table, in_order):
    nulls = {"check": "PercentOfNulls", "limits": {"threshold": 0.2}}
    snapshot = table(gone=[None, 1.0, 2.0] * 200)
    assert "PercentOfNulls" not in messages(Deepchecks(suite="data_integrity"), snapshot, in_order)
    told = messages(Deepchecks(suite="data_integrity", conditions=[nulls]), snapshot, in_order)
    assert "'gone': '33.33%'" in told["PercentOfNulls"].message


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"check": "DataDuplicate"}, "no check 'DataDuplicate'; did you mean 'DataDuplicates'"),
        ({"check": "FeatureDrift"}, "no check 'FeatureDrift'; there are"),
        ({"check": "MixedNulls", "condition": "different_nulls"}, "did you mean 'different_nulls_less_equal_to'"),
        ({"check": "DataDuplicates", "limits": {"max_ration": 0.1}}, "no limit 'max_ration'; did you mean 'max_ratio'"),
        ({"check": "StringMismatch", "limits": {"max_ratio": 0.1}}, "has several; set 'condition' to one of"),
        ({"check": "ColumnsInfo"}, "ColumnsInfo has no condition that could be set"),
        (
            {"check": "StringMismatch", "condition": "number_variants_less_or_equal"},
            "needs the limit 'num_max_variants'",
        ),
    ],
)
def test_conditions_that_deepchecks_does_not_have_are_refused(table, in_order, condition, message):
    check = Deepchecks(suite="data_integrity", conditions=[condition])
    with pytest.raises(QualityError, match=message):
        list(check.findings(table(), in_order))


def test_a_column_may_be_left_out_and_must_be_there(table, in_order):
    snapshot = table(same=["x"] * COUNT)
    assert not messages(Deepchecks(suite="data_integrity", ignore=["same"]), snapshot, in_order)
    with pytest.raises(QualityError, match="no column 'sam', did you mean 'same'"):
        list(Deepchecks(suite="data_integrity", ignore=["sam"]).findings(snapshot, in_order))


def test_what_passed_is_recorded_after_what_failed(repeated, in_order, tmp_path):
    suite, findings = found(Deepchecks(suite="data_integrity"), repeated, in_order)
    statuses = [one.status for one in suite.outcomes]
    assert statuses == sorted(statuses, key=["failed", "warned", "could not run", "passed", "not judged"].index)
    assert {"warned", "passed", "not judged"} <= set(statuses)
    assert "Data Duplicates" in [one.check for one in suite.of("warned")]
    report = QualityReport(("Deepchecks",), tuple(findings), (), (suite,))
    report.save(tmp_path)
    assert QualityReport.load(tmp_path) == report


@pytest.mark.slow
def test_deepchecks_own_page_is_written_beside_the_record(repeated, in_order, tmp_path):
    suite, _ = found(Deepchecks(suite="data_integrity", html=True), repeated, in_order)
    QualityReport(("Deepchecks",), (), (), (suite,)).save(tmp_path)
    [page] = tmp_path.glob("*.html")
    assert page.name == suite.html == "deepchecks-tabular-data_integrity.html"
    assert "Data Duplicates" in page.read_text()
    assert page.name in (tmp_path / "quality.json").read_text()
    assert (tmp_path / "quality.json").stat().st_size < 20_000


@pytest.mark.slow
def test_importing_deepchecks_asks_nobody_on_the_network():
    code = (
        "import socket, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "def refuse(*given, **more): print('asked', given[0]); sys.exit(9)\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "from totalml.quality.suites.library import library\n"
        "print(library('tabular', 'a test').__name__)\n"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DISABLE_")}
    done = run_python(["-c", code], REPOSITORY, environment)
    assert (done.returncode, done.stdout) == (0, "deepchecks.tabular\n"), done.stderr
