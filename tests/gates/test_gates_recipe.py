"""Mistakes in gates are told when the recipe is composed, at their lines."""

import pytest

from tests.projects import PHOTOS, new_project
from totalml.compose import compose_recipe
from totalml.errors import RecipeError
from totalml.identity import config_hash
from totalml.recipe import what


def composed(folder, gates, *overrides):
    project = new_project(folder, {"photos": f"{PHOTOS}gates:\n{gates}\n"})
    return compose_recipe(project, ["+recipe=photos", *overrides])


def mistake(folder, gates, *overrides):
    with pytest.raises(RecipeError) as caught:
        composed(folder, gates, *overrides)
    (told,) = caught.value.mistakes
    return told


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("{metric: accuracy}", "a gate needs one of at_least, at_most and within, and 'accuracy' has none"),
        ("{metric: ece, at_least: 0, at_most: 1}", "'ece' has at_least and at_most; make two gates of it"),
        ("{metric: acuraccy, at_least: 0.9}", "there is no metric 'acuraccy', did you mean 'accuracy'?"),
        ("{metric: slice.*.gap, at_least: 0}", "there is no metric 'slice.*.gap', did you mean 'slices'?"),
        ("{metric: slices, at_least: 0}", "'slices' is a family of metrics; name one, such as 'slices.*.accuracy'"),
        ("{metric: accuracy.x, at_least: 0}", "there is no metric 'accuracy.x'"),
        ("{metric: per_class.a.recalll, at_least: 0}", "ends in no figure of 'per_class', did you mean 'recall'?"),
        ("{metric: qwertz, at_least: 0}", "there is no metric 'qwertz'; there are: accuracy, balanced_accuracy"),
        ("{metric: accuracy, at_least: productoin}", "expected a number, or 'production' for what is released now"),
        ("{metric: accuracy, at_least: true}", "expected a number, or 'production'"),
        ("{metric: accuracy, at_least: 0.9, margin: 0.1}", "'margin' goes with 'at_least: production'"),
        ("{metric: fairness.*.gap, within: -0.1}", "should be greater than or equal to 0, got -0.1"),
        ("{metric: fairness.*.gap, within: 0.1}", "evaluation.fairness is off, so there is no 'fairness.*.gap'"),
        ("{metric: accuracy, at_lest: 0.9, at_most: 1}", "unknown key 'gates[0].at_lest', did you mean 'at_least'?"),
        ("{metric: ece, at_least: 0.1}", "'ece' is better the lower it is; ask for at_most"),
        ("{metric: accuracy, at_least: 0.9, undecided: warn}", "'fail' or 'pass', got 'warn'"),
    ],
)
def test_a_mistake_is_told_at_its_line(tmp_path, gate, expected):
    told = mistake(tmp_path, f"  - {gate}")
    assert told.startswith("recipes/photos.yaml:9: ")
    assert expected in told


def test_two_gates_of_one_name_are_told_at_the_second(tmp_path):
    told = mistake(tmp_path, "  - {metric: accuracy, at_least: 0.9}\n  - {metric: accuracy, at_least: 0.9}")
    assert told.startswith("recipes/photos.yaml:10: ")
    assert "two gates are called 'accuracy at least 0.9'" in told


def test_all_gates_are_read_at_once(tmp_path):
    with pytest.raises(RecipeError) as caught:
        composed(tmp_path, "  - {metric: acuraccy, at_least: 0.9}\n  - {metric: accuracy}")
    assert len(caught.value.mistakes) == 2


def test_gates_are_part_of_what_is_run_and_the_card_is_not(tmp_path):
    def hash_of(bound, *overrides):
        return config_hash(what(composed(tmp_path, f"  - {{metric: accuracy, at_least: {bound}}}", *overrides)))

    assert hash_of(0.9) != hash_of(0.8)
    assert hash_of(1) == hash_of(1.0)
    assert hash_of(0.9) == hash_of(0.9, "card.license=mit")


def test_the_command_line_can_lift_all_gates(tmp_path):
    assert composed(tmp_path, "  - {metric: accuracy, at_least: 0.9}", "gates=[]").gates == ()
