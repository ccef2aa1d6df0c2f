import subprocess
import sys

import pytest

from totalml.errors import MissingExtraError, QualityError
from totalml.quality import (
    Blur,
    ClassBalance,
    Deepchecks,
    Duplicates,
    Exposure,
    Finding,
    MissingValues,
    QualityReport,
    SplitLeakage,
    check_quality,
)
from totalml.recipe import QualityRecipe


def test_warnings_are_reported_and_do_not_stop(snapshot_of, splits_of):
    recipe = QualityRecipe(checks=(ClassBalance(min_count=5), Duplicates()))
    report = check_quality(recipe, snapshot_of(["a"] * 9 + ["b"]), splits_of("t" * 10))
    assert report.checks == ("ClassBalance", "Duplicates")
    assert [finding.check for finding in report.findings] == ["ClassBalance"]


def test_all_checks_run_before_the_run_stops(snapshot_of, splits_of):
    checks = (SplitLeakage(), MissingValues(columns=("taste_1",)), ClassBalance(), Duplicates(level="stop"))
    snapshot = snapshot_of(["a", "a", "a"], content=["x", "y", "x"], taste=[1.0, 1.0, 1.0])
    with pytest.raises(QualityError) as caught:
        check_quality(QualityRecipe(checks=checks), snapshot, splits_of("tve"))
    text = str(caught.value)
    assert "3 of 4 findings stop the run" in text
    assert "SplitLeakage: 1 time the same content" in text
    assert "Samples: 's0000', 's0002'." in text
    assert "MissingValues: the snapshot has no column 'taste_1'" in text
    assert "Duplicates: 1 of 3 samples" in text
    assert "ClassBalance" not in text


def test_no_checks_find_nothing(snapshot_of, splits_of):
    report = check_quality(QualityRecipe(), snapshot_of(["a"]), splits_of("t"))
    assert (report.checks, report.findings) == ((), ())


def test_validating_checks_imports_nothing_heavy():
    code = (
        "import sys, totalml.quality as q; q.Deepchecks(suite='data_integrity'); q.SplitLeakage(); q.check_quality\n"
        "print([name for name in ('numpy', 'pyarrow', 'torch', 'pandas', 'deepchecks') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def _no_deepchecks(monkeypatch):
    for name in ("deepchecks", "deepchecks.tabular"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("_no_deepchecks")
def test_without_the_extra_a_line_says_how_to_get_it_and_the_other_checks_run(snapshot_of, splits_of):
    recipe = QualityRecipe(checks=(Deepchecks(suite="data_integrity"), ClassBalance(min_count=5)))
    told, other = check_quality(recipe, snapshot_of(["a"], taste=[1.0]), splits_of("t")).findings
    assert told.message.startswith("data_integrity: not run: ")
    assert told.message.endswith('python -m pip install "totalml[deepchecks]"')
    assert other.check == "ClassBalance"


@pytest.mark.usefixtures("_no_deepchecks")
def test_a_suite_that_may_stop_the_run_is_not_left_out(snapshot_of, splits_of):
    recipe = QualityRecipe(checks=(Deepchecks(suite="data_integrity", level="stop"),))
    with pytest.raises(MissingExtraError, match=r'python -m pip install "totalml\[deepchecks\]"'):
        check_quality(recipe, snapshot_of(["a"], taste=[1.0]), splits_of("t"))


def test_checks_of_pictures_are_not_asked_where_there_are_none(snapshot_of, splits_of):
    recipe = QualityRecipe(checks=(Blur(), ClassBalance(min_count=1), Exposure()))
    report = check_quality(recipe, snapshot_of(["a"]), splits_of("t"))
    assert (report.checks, report.not_asked) == (("ClassBalance",), ("Blur", "Exposure"))


def test_a_report_is_read_back_as_it_was_written(tmp_path):
    report = QualityReport(("Blur",), (Finding("Blur", "warn", "blurred", ("a", "b")),), ("Exposure",))
    report.save(tmp_path)
    assert QualityReport.load(tmp_path) == report


def test_one_stop_is_enough(snapshot_of, splits_of):
    with pytest.raises(QualityError, match="1 of 1 findings stop the run"):
        check_quality(
            QualityRecipe(checks=(Duplicates(level="stop"),)),
            snapshot_of(["a", "a"], content=["x", "x"]),
            splits_of("tt"),
        )
