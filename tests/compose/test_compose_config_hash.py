"""Properties of the config hash: blind to spelling, sensitive to every value that changes the result."""

import math
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from totalml.component import plain
from totalml.compose import compose_recipe
from totalml.compose.plain import plain_values
from totalml.identity import config_hash
from totalml.recipe import Recipe, what
from totalml.validate import InvalidRecipe, validate

REPOSITORY = Path(__file__).parents[2]
# Keys with room on either side, so that there is another value to try.
CHOSEN = ["+recipe=guinness", "training.clip_norm=1", "data.source.knobs.days=300"]
FULL = plain(compose_recipe(REPOSITORY, CHOSEN), where=True)
SHORT = OmegaConf.to_container(OmegaConf.create(yaml.safe_load((REPOSITORY / "recipes/guinness.yaml").read_text())))
# Where and how, or words for the reader: no part of the config hash.
WHERE = {"runtime", "question", "tolerance", "smoke", "tracking", "card", "registry", "monitoring", "review"}
WHERE_PATHS = {("data", "snapshot")}


def leaves(value, path=()):
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, item in items for leaf in leaves(item, (*path, key))]
    return [(path, value)]


def counts(path):
    return path[0] not in WHERE and path not in WHERE_PATHS


LEAVES = [(path, value) for path, value in leaves(FULL) if "_target_" not in path]
COUNTED = [(path, value) for path, value in LEAVES if counts(path)]
NUMBERS = [path for path, value in LEAVES if type(value) in (int, float)]


def hash_of(values) -> str:
    """As the runner does it: through YAML, OmegaConf and validation."""
    config = OmegaConf.create(values if isinstance(values, str) else yaml.safe_dump(values, sort_keys=False))
    return config_hash(what(validate(*plain_values(config))))


REFERENCE = hash_of(FULL)


def put(values, path, value):
    changed = deepcopy(values)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def others(value):
    """Values of the same type that are not this one; some are not allowed at the place they are tried."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 1.01, value * 0.99, value + 0.001]
    if isinstance(value, str):
        return [f"{value}x", "hash", "accuracy", "pad", "warn"]
    return [1, 0.5, "good", "epoch", ["x"]]


def shuffled(value, random):
    if isinstance(value, dict):
        items = [(key, shuffled(item, random)) for key, item in value.items()]
        random.shuffle(items)
        return dict(items)
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_at_any_depth_does_not_count(random):
    assert hash_of(shuffled(FULL, random)) == REFERENCE


@settings(deadline=None, max_examples=10)
@given(st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1))
def test_the_spelling_of_numbers_does_not_count(paths):
    """3 and 3.0, 0.003 and 3e-3."""
    values = FULL
    for path in paths:
        value = dict(LEAVES)[path]
        whole = isinstance(value, int) or value.is_integer()
        values = put(values, path, (float(value) if isinstance(value, int) else int(value)) if whole else value)
    text = yaml.safe_dump(values, sort_keys=False).replace("lr: 0.003", "lr: 3.0e-3")
    assert hash_of(text) == REFERENCE


@settings(deadline=None, max_examples=10)
@given(st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1, max_size=6))
def test_an_interpolation_means_the_value_it_points_at(paths):
    counted = [path for path in paths if counts(path)]
    values = FULL
    for place, path in enumerate(counted):
        values = put(values, path, f"${{numbers_{place}}}")
    config = OmegaConf.create(values)
    for place, path in enumerate(counted):
        config[f"numbers_{place}"] = dict(LEAVES)[path]
    OmegaConf.resolve(config)
    for place in range(len(counted)):
        del config[f"numbers_{place}"]
    assert hash_of(OmegaConf.to_container(config)) == REFERENCE


@settings(deadline=None, max_examples=10)
@given(st.lists(st.text("abc: #", max_size=12), min_size=1, max_size=5), st.integers(0, 10_000))
def test_comments_and_blank_lines_do_not_count(comments, where):
    # As wide as it takes: a comment amid a text of several lines would end it.
    lines = yaml.safe_dump(FULL, sort_keys=False, width=math.inf).splitlines()
    for place, comment in enumerate(comments):
        lines.insert((where * (place + 1)) % len(lines), f"  # {comment}\n")
    assert hash_of("\n".join(lines)) == REFERENCE


def test_defaults_written_out_do_not_count():
    """What the recipe says in few lines, and every default of it."""
    assert hash_of(FULL) == config_hash(what(compose_recipe(REPOSITORY, CHOSEN)))
    assert len(leaves(FULL)) > 3 * len(leaves(SHORT))


@pytest.mark.parametrize(("path", "value"), COUNTED, ids=[".".join(map(str, path)) for path, _ in COUNTED])
def test_every_other_value_gives_another_hash(path, value):
    tried = 0
    for other in others(value):
        if other == value:
            continue
        try:
            found = config_hash(what(validate(put(FULL, path, other))))  # YAML and OmegaConf have tests of their own
        except InvalidRecipe:
            continue
        tried += 1
        assert found != REFERENCE, f"{path}: {value!r} and {other!r} give one hash"
        break
    # Words of a closed list are tried where the list is known; those that go together have a test of their own.
    together = path[:2] in [("data", "split"), ("model", "freeze")] or path[-1] == "margin"  # of a gate on production
    assert tried or together or isinstance(value, str | None | list | dict)


def test_a_frozen_backbone_gives_another_hash():
    plain_training = put(FULL, ("training", "augment"), [])
    assert hash_of(put(plain_training, ("model", "freeze"), True)) != hash_of(plain_training)


def test_other_shares_of_the_split_give_another_hash():
    moved = put(put(FULL, ("data", "split", "train"), 0.65), ("data", "split", "test"), 0.2)
    assert hash_of(moved) != REFERENCE


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "device": st.sampled_from(["auto", "cpu", "gpu"]),
            "precision": st.sampled_from(["float32", "bfloat16"]),
            "compile": st.booleans(),
            "threads": st.integers(1, 64),
            "store": st.text("abc/", min_size=1),
            "runs": st.text("abc/", min_size=1),
            "progress": st.sampled_from(["auto", "rich", "plain", "none"]),
            "rerun": st.booleans(),
        },
    ),
    st.text(max_size=20).filter(lambda text: "${" not in text and text != "???"),
)
def test_where_and_how_and_the_question_do_not_count(runtime, question):
    values = FULL | {"runtime": FULL["runtime"] | runtime, "question": question}
    assert config_hash(what(Recipe.model_validate(validate(values)))) == REFERENCE


def test_how_far_results_may_differ_does_not_count():
    assert hash_of(FULL | {"smoke": True, "tolerance": {"metrics": 0.5, "probabilities": 1.0}}) == REFERENCE


def test_every_key_of_runtime_is_outside_the_hash():
    """Also those that join later: the whole section is marked, not its fields one by one."""
    assert "runtime" not in what(validate(FULL))
