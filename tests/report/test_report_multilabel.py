"""What the page tells of labels: in words what was planted, and nothing of what strangers call them."""

import html
import re

import numpy as np
import pytest

from tests.evaluation.labelled import drawn, evaluated
from tests.report.conftest import Epoch
from totalml.quality import QualityReport
from totalml.report import ReportContent
from totalml.report.page import render
from totalml.report.task_parts import answer_of, parts_of

NASTY = ("<b>x</b>", "a|b", "\u202e" + "very " * 30)


def content_of(evaluation, pictures=True):
    images = np.random.default_rng(0).integers(0, 256, (evaluation.count, 32, 32, 3), np.uint8)
    return ReportContent(
        name="faults",
        description="What is wrong?",
        run_id="0123abcd-4567ef00",
        config_hash="blake3:" + "0123abcd" * 8,
        data_hash="blake3:" + "4567ef00" * 8,
        command="python run.py +recipe=faults",
        recipe_yaml="name: faults\n",
        environment={},
        seconds={"training": 1.0},
        split_counts={},
        split_sizes={"train": 70, "validation": 15, "test": 15},
        quality=QualityReport((), ()),
        history=(Epoch(1, 0.5, 0.4, 0.9),),
        best_epoch=1,
        evaluation=evaluation,
        rows=np.arange(evaluation.count),
        pictures=(lambda rows: images[rows]) if pictures else None,
    )


def page_of(content):
    return render(content).decode()


def words_of(page):
    text = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))
    return re.sub(r"\s+([.,;:”)])", r"\1", re.sub(r"\s+", " ", text)).replace("“ ", "“").replace("( ", "(")


def planted():
    """100 samples: `spill` is missed in 30 of 40 and `short` said in its place, all else is right."""
    true = np.zeros((100, 3))
    true[:40, 2] = true[50:60, 0] = true[50:55, 1] = 1
    said = true.copy()
    said[:30, 2], said[:30, 1] = 0.2, 0.7
    return true, said


def test_the_first_screen_says_what_was_planted():
    page = words_of(page_of(content_of(evaluated(*planted()))))
    assert "Every label right for 70 of 100 test pictures" in page
    assert "Better than always saying no label, which is right for 50.0 %" in page
    assert "Of single labels 80.0 % are right" in page
    assert "Finds “spill” worst, 10 of 40; and “thin” best, 10 of 10." in page
    assert "Most often it misses “spill” and says “short”, in 30 pictures." in page
    assert "A label is said from 50 % on." in page


def test_a_model_that_says_nothing_is_not_better_than_saying_nothing():
    true, _ = planted()
    page = words_of(page_of(content_of(evaluated(true, np.zeros(true.shape)))))
    assert "Not clearly better than always saying no label, which is right for 50.0 %" in page
    assert "Precision of spill: 'spill' was never said" in page


def test_the_simplest_answer_is_the_most_frequent_set_of_labels():
    true, said = planted()
    true[:, :2] = 1
    content = content_of(evaluated(true, said))
    assert parts_of(content).baseline(content) == 0.6
    assert "always saying “thin” and “short”, which is right for 60.0 %" in words_of(page_of(content))


def test_most_labels_wrong_come_first_and_among_as_many_the_surest():
    true = np.array([[0, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
    said = np.array([[0.6, 0, 0], [0.9, 0, 0], [0.1, 0.2, 0.1], [0, 0, 0.9]])
    found = evaluated(true, said)
    wrong = page_of(content_of(found)).split('id="wrong"')[1].split("</section>")[0]
    assert re.findall(r'title="(s\d)"', wrong) == ["s2", "s1", "s0"]
    answers = sorted((answer_of(found, row) for row in found.predictions.to_pylist()), key=lambda one: one.order)
    assert [answer.id for answer in answers] == ["s2", "s1", "s0", "s3"]
    assert answers[0].remark == "2 of 3 labels wrong"
    assert (answers[1].true, answers[1].said, answers[3].right) == ("no label", "thin", True)


def test_every_label_has_its_row_its_samples_and_its_place_in_the_matrix():
    page = page_of(content_of(evaluated(*planted())))
    matrix = page.split('class="matrix"')[1].split("</table>")[0]
    cells = [re.sub("<[^>]*>", " ", cell).split() for cell in re.findall(r"<td class=.*?</td>", matrix)]
    # thin, short, spill, none: counts behind shares.
    assert [cell[-1] if len(cell) > 1 else "0" for cell in cells] == [
        *("10", "5", "0", "0"),
        *("5", "5", "0", "0"),
        *("0", "30", "10", "0"),
        *("0", "0", "0", "50"),
    ]
    samples = words_of(page.split('id="samples"')[1].split("</section>")[0])
    for named in ("thin 10 in", "short 5 in", "spill 40 in", "no label 50 in"):
        assert named in samples


@pytest.mark.parametrize("pictures", [True, False])
def test_what_strangers_call_a_label_stays_text(pictures):
    true, probabilities = drawn(0)
    validation = (true.astype(np.float32), probabilities)
    found = evaluated(true, probabilities, names=NASTY, validation=validation, fit_thresholds=True)
    page = page_of(content_of(found, pictures))
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_many_labels_are_listed_by_the_confusions_in_place_of_a_matrix():
    true, probabilities = drawn(0, samples=80, labels=70)
    names = tuple(f"label {k:02d}" for k in range(70))
    page = page_of(content_of(evaluated(true, probabilities, names=names)))
    assert 'class="matrix"' not in page
    assert "Most frequent confusions" in page
    assert "rarer labels not shown" in page
