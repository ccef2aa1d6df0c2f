"""The key diff of two recipes is complete, smallest where it can be, and the same from either side."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from totalml.values.align import aligned
from totalml.values.keys import ABSENT, key_changes, same

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "a", "b"])
kinds = st.sampled_from("ABC")
keys = st.sampled_from(["lr", "size", "image", "steps"])
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(scalars, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.lists(
            st.builds(
                lambda kind, rest: {"_target_": kind, **rest}, st.sampled_from("ABC"), st.dictionaries(keys, inner)
            ),
            max_size=4,
        )
    ),
    max_leaves=12,
)
recipes = st.dictionaries(keys, values, max_size=4)


def applied(recipe, changes):
    """Removals from the end, then additions from the front, then new values: so that every index is right in time."""
    result = copy.deepcopy(recipe)
    for change in sorted((c for c in changes if c.new is ABSENT), key=lambda c: rank(c.old_path), reverse=True):
        del holder(result, change.old_path)[change.old_path[-1]]
    for change in sorted((c for c in changes if c.old is ABSENT), key=lambda c: rank(c.new_path)):
        there, key = holder(result, change.new_path), change.new_path[-1]
        if isinstance(there, list):
            there.insert(key, change.new)
        else:
            there[key] = change.new
    for change in changes:
        if change.kind == "changed":
            holder(result, change.new_path)[change.new_path[-1]] = change.new
    return result


def holder(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def rank(path):
    return [(0, key, "") if isinstance(key, int) else (1, 0, key) for key in path]


@given(recipes, recipes)
def test_applying_the_changes_gives_the_other_recipe(old, new):
    assert same(applied(old, key_changes(old, new)), new)


@given(recipes)
def test_a_recipe_does_not_differ_from_itself(recipe):
    assert key_changes(recipe, copy.deepcopy(recipe)) == []


@given(recipes, recipes)
def test_the_changes_are_the_same_from_either_side(old, new):
    forth = {(str(c.old_path), str(c.new_path), repr(c.old), repr(c.new)) for c in key_changes(old, new)}
    back = {(str(c.new_path), str(c.old_path), repr(c.new), repr(c.old)) for c in key_changes(new, old)}
    assert forth == back


components = st.builds(lambda kind, share: {"_target_": kind, "share": share}, st.sampled_from("AB"), st.integers(1, 2))
lists = st.lists(components, max_size=5)


@given(lists, lists)
def test_lists_of_like_components_are_the_same_from_either_side(old, new):
    assert aligned(old, new) == [(i, j) for j, i in aligned(new, old)]
    assert same(applied({"x": old}, key_changes({"x": old}, {"x": new})), {"x": new})


def told(old, new):
    return [(change.key, change.kind, change.old, change.new) for change in key_changes(old, new)]


def test_a_component_put_in_front_of_a_list_is_one_addition():
    flip, crop, erase = ({"_target_": name, "share": 0.5} for name in ("Flip", "Crop", "Erase"))
    assert told({"augment": [flip, crop]}, {"augment": [erase, flip, crop]}) == [
        ("augment[0]", "added", ABSENT, erase),
    ]


def test_an_argument_of_a_component_that_moved_is_one_change():
    flip, crop = {"_target_": "Flip", "share": 0.5}, {"_target_": "Crop", "share": 0.5}
    assert told({"augment": [crop, flip]}, {"augment": [flip | {"share": 0.3}]}) == [
        ("augment[0]", "removed", crop, ABSENT),
        ("augment[0].share", "changed", 0.5, 0.3),
    ]


def test_of_two_components_of_one_class_the_equal_one_is_kept():
    weak, strong = {"_target_": "Flip", "share": 0.1}, {"_target_": "Flip", "share": 0.9}
    assert told({"augment": [weak, strong]}, {"augment": [strong]}) == [("augment[0]", "removed", weak, ABSENT)]
    assert told({"augment": [weak, strong]}, {"augment": [weak]}) == [("augment[1]", "removed", strong, ABSENT)]


def test_true_is_not_one_but_one_is_one_point_nought():
    assert told({"x": True, "y": 1}, {"x": 1, "y": 1.0}) == [("x", "changed", True, 1)]


def test_what_does_not_count_for_the_hash_is_told_apart():
    old, new = {"seed": 1, "runtime": {"device": "cpu"}}, {"seed": 2, "runtime": {"device": "gpu"}}
    changes = key_changes(old, new, {"seed": 1}, {"seed": 2})
    assert {change.key: change.counts for change in changes} == {"seed": True, "runtime.device": False}
