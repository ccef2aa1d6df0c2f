"""Every mistake is shown at once, each at the file and line where it was written."""

import shlex

import pytest

from totalml.compose import compose_recipe, main
from totalml.errors import RecipeError
from totalml.sweep import sweep
from totalml.target import foreign_component

HEAD = """\
defaults:
  - override /data: image_folder

name: wrong
data:
  source:
    root: photos
"""


def mistakes_of(project, *overrides):
    with pytest.raises(RecipeError) as caught:
        compose_recipe(project, overrides)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("training:\n  max_epoch: 3", "recipes/wrong.yaml:9: unknown key 'training.max_epoch', did you mean 'epochs'?"),
        (
            "monitoring:\n  seasons:\n    - {namee: feast, dates: 03-14..03-20}",
            "recipes/wrong.yaml:10: unknown key 'monitoring.seasons[0].namee', did you mean 'name'?",
        ),
        (
            "  split:\n    by: column\n    column: type\n    values: {mono: train}",
            "recipes/wrong.yaml:11: unknown key 'data.split.values.mono'; known keys: train, validation or test",
        ),
        (
            "task:\n  _target_: totalml.task.Regression\n  targets: [price]\n  series: shop\n  season: 52w\n"
            "gates:\n  - {metric: mase, at_most: 1}\nsweep: {metric: mae, parameters: {seed: '1,2'}}",
            "recipes/wrong.yaml:12: 'task.season' should be a valid integer, got '52w'",
        ),
        ("training:\n  epochs: many", "recipes/wrong.yaml:9: 'training.epochs' should be a valid integer, got 'many'"),
        ("training:\n  epochs: 0", "recipes/wrong.yaml:9: 'training.epochs' should be greater than 0, got 0"),
        ("training:\n  epochs: 2.5", "recipes/wrong.yaml:9: 'training.epochs' should be a valid integer, got 2.5"),
        ("seed: ???", "recipes/wrong.yaml:8: 'seed' has no value yet (???); set it, e.g. seed=..."),
        ("seed: ${oc.env:HOME}", "recipes/wrong.yaml:8: 'seed': depends on 'oc.env'; write the value itself"),
        ("seed: ${there.is.none}", "recipes/wrong.yaml:8: 'seed': Interpolation key 'there.is.none' not found"),
        (
            "evaluation:\n  positive: no",
            "recipes/wrong.yaml:9: 'evaluation.positive' should be a valid string, got False; YAML reads false, "
            "no and off as a truth value: put the word in quotes (on the command line: 'key=\"word\"')",
        ),
        (
            "  labels: [1.0, b]",
            "recipes/wrong.yaml:8: 'data.labels[0]' should be a valid string, got 1.0; YAML reads it as a number: "
            "put the word in quotes (on the command line: 'key=\"word\"')",
        ),
        (
            "evaluation:\n  calibration:\n    costs:\n      on: {b: 1}",
            "recipes/wrong.yaml:10: a key of 'evaluation.calibration.costs' should be text, got True; YAML reads true, "
            "yes and on as a truth value: put the word in quotes (on the command line: 'key=\"word\"')",
        ),
        (
            "features:\n  image:\n    fit: crpo",
            "recipes/wrong.yaml:10: 'features.image.fit' should be 'crop', 'pad' or 'stretch', got 'crpo', "
            "did you mean 'crop'?",
        ),
        (
            "model:\n  image:\n    _target_: totalml.model.SmallCn",
            "recipes/wrong.yaml:10: 'totalml.model' has no 'SmallCn', did you mean 'SmallCnn'?",
        ),
        (
            "model:\n  image:\n    _target_: totalml.nowhere.Thing",
            "recipes/wrong.yaml:10: there is no module 'totalml.nowhere'",
        ),
        (
            "model:\n  image:\n    _target_: totalml.errors.TotalmlError",
            "recipes/wrong.yaml:10: 'totalml.errors.TotalmlError' is not a component; a model may also be a "
            "LightningModule",
        ),
        (
            "model:\n  image:\n    _target_: totalml.kinds.ImageBackbone",
            "recipes/wrong.yaml:10: 'totalml.kinds.ImageBackbone' is a kind of component; name one of that kind",
        ),
        (
            "training:\n  optimizer:\n    _target_: torch.optim.Adamw",
            "recipes/wrong.yaml:10: 'torch.optim' has no 'Adamw', did you mean 'AdamW'?",
        ),
        (
            "training:\n  optimizer:\n    weight_decoy: 0.1",
            "recipes/wrong.yaml:10: AdamW takes no argument 'weight_decoy', did you mean 'weight_decay'?",
        ),
        (
            "training:\n  optimizer:\n    lr: -1",
            "recipes/wrong.yaml:10: AdamW refuses lr=-1: Invalid learning rate: -1",
        ),
        (
            "training:\n  optimizer:\n    betas: [2, 3]",
            "recipes/wrong.yaml:10: AdamW refuses betas=[2, 3]: Invalid beta parameter at index 0: 2",
        ),
        (
            "training:\n  scheduler:\n    _target_: torch.optim.lr_scheduler.ReduceLROnPlateau\n    mode: foo",
            "recipes/wrong.yaml:11: ReduceLROnPlateau refuses mode='foo': mode foo is unknown!",
        ),
        (
            "task:\n  _target_: totalml.task.Regression\n  targets: [price]\n  loss: huberr",
            "recipes/wrong.yaml:11: task.loss: expected one of huber, squared, quantile, or a component of kind Loss, "
            "got 'huberr', did you mean 'huber'?",
        ),
        (
            "task:\n  _target_: totalml.task.Regression\n  targets: [price]\n  units: {prise: euro}",
            "recipes/wrong.yaml:11: task.units.prise: 'prise' is none of the targets, did you mean 'price'?",
        ),
        (
            "task:\n  _target_: totalml.task.Regression\n  targets: [price]\n"
            "features:\n  table:\n    numeric: [price]\nmodel:\n  table:\n    _target_: totalml.model.Mlp",
            "recipes/wrong.yaml:1: features.table: 'price' is what is to be predicted; take it out of the features",
        ),
        (
            "features:\n  table:\n    categorical: [pub]\nmodel:\n  table:\n    _target_: totalml.model.Mlp\n"
            "monitoring:\n  levers: [pub]",
            "recipes/wrong.yaml:15: monitoring.levers[0]: 'pub' holds words, and a lever is a number that stays where "
            "people set it; take it out",
        ),
        (
            "task:\n  _target_: totalml.task.Regression\n  targets: [price]\ndrill:\n  futures: true\n"
            "  populations: {base: {source: {_target_: recipes.marketing.source.MarketSource, since: 2025-01-06}}}\n"
            "  scenarios: {busy: {truth: none}}\n  calm_histories: 100\n  histories: 2",
            "recipes/wrong.yaml:12: drill.futures: futures are of series; name the column that tells them apart as "
            "task.series",
        ),
    ],
)
def test_a_mistake_is_reported_where_it_was_written(project, write_recipe, lines, expected):
    write_recipe("wrong", f"{HEAD}{lines}\n")
    assert mistakes_of(project, "+recipe=wrong") == (expected,)


def test_a_mistake_beside_a_setting_of_hydra_is_told_alone(project, write_recipe):
    write_recipe("wrong", f"{HEAD}training:\n  epoch: 3\n")
    expected = "recipes/wrong.yaml:9: unknown key 'training.epoch', did you mean 'epochs'?"
    assert mistakes_of(project, "+recipe=wrong", "hydra/launcher=joblib") == (expected,)


@pytest.mark.parametrize("target", ["os.system", "torch.hub.load", "torch.nn.ReLU"])
def test_what_no_socket_takes_is_refused_with_what_may_be_named(project, target):
    (project / "conf" / "training" / "standard.yaml").write_text(
        f"epochs: 1\nbatch_size: 1\noptimizer: {{_target_: {target}}}\n"
    )
    (mistake,) = mistakes_of(project, "+recipe=photos")
    allowed = "name a component of totalml or recipes, an optimizer of torch.optim"
    assert mistake.startswith(f"conf/training/standard.yaml:3: {target!r} is not allowed; {allowed}")


def test_a_scheduler_is_one_of_torch_or_of_ours(project):
    for target in ("totalml.training.WarmupCosine", "torch.optim.lr_scheduler.ExponentialLR"):
        arguments = [f"training.scheduler._target_={target}"] + ["training.scheduler.gamma=0.9"] * ("torch" in target)
        assert compose_recipe(project, ["+recipe=photos", *arguments]).training.scheduler is not None
    (mistake,) = mistakes_of(project, "+recipe=photos", "training.scheduler._target_=torch.optim.SGD")
    assert mistake == (
        "command line: training.scheduler: expected a scheduler of torch.optim.lr_scheduler or a component of "
        "kind Schedule, got torch.optim.SGD"
    )


def test_a_frozen_backbone_and_augmentation_exclude_each_other(project, write_recipe):
    write_recipe("wrong", f"{HEAD}model:\n  freeze: true\ntraining:\n  epochs: 3\n")
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    lines = (project / "conf" / "training" / "standard.yaml").read_text().splitlines()
    line = lines.index("augment:") + 1
    assert mistake == (
        f"conf/training/standard.yaml:{line}: training.augment: pictures cannot change from epoch to epoch where "
        "model.freeze computes their embeddings once; set training.augment=[] or training=head, or model.freeze=false"
    )
    for mend in ("training.augment=[]", "training=head", "model.freeze=false"):
        assert compose_recipe(project, ["+recipe=wrong", mend]).training.epochs == 3


def test_freezing_needs_a_backbone_of_pictures(project, write_recipe):
    write_recipe("wrong", f"{HEAD}model:\n  freeze: true\n")
    mistakes = mistakes_of(project, "+recipe=wrong", "model=mlp", "training=head", "features=table")
    assert any("'freeze' keeps the image backbone as it starts, and there is none" in line for line in mistakes)


def test_all_mistakes_are_reported_at_once(project, write_recipe):
    write_recipe(
        "wrong", f"{HEAD}seed: ${{now:%H}}\ntraining:\n  epochs: -1\n  batchsize: 3\n  optimizer:\n    lrr: 1\n"
    )
    found = mistakes_of(project, "+recipe=wrong", "runtime.divice=gpu")
    assert found == (
        "command line: unknown key 'runtime.divice', did you mean 'device'?",
        "recipes/wrong.yaml:8: 'seed': depends on 'now'; write the value itself",
        "recipes/wrong.yaml:10: 'training.epochs' should be greater than 0, got -1",
        "recipes/wrong.yaml:11: unknown key 'training.batchsize', did you mean 'batch_size'?",
        "recipes/wrong.yaml:13: AdamW takes no argument 'lrr', did you mean 'lr'?",
    )


def test_a_mistake_in_conf_is_reported_there(project):
    (project / "conf" / "training" / "standard.yaml").write_text("epochs: 1\nbatch_size: 0\noptimizer: fast\n")
    assert mistakes_of(project, "+recipe=photos") == (
        "conf/training/standard.yaml:2: 'training.batch_size' should be greater than 0, got 0",
        "conf/training/standard.yaml:3: 'training.optimizer' should be a class of torch, named by a _target_, "
        "got 'fast'",
    )


def test_a_mistake_inherited_from_another_recipe_is_reported_in_that_one(project, write_recipe):
    write_recipe("base", f"{HEAD}seed: -1\n")
    write_recipe("child", "defaults:\n  - base\n  - _self_\nname: child\n")
    assert mistakes_of(project, "+recipe=child") == (
        "recipes/base.yaml:8: 'seed' should be greater than or equal to 0, got -1",
    )


def test_a_component_of_the_wrong_kind_is_refused(project, write_recipe):
    write_recipe("wrong", f"{HEAD}model:\n  image:\n    _target_: totalml.model.Mlp\n")
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    assert (
        mistake
        == "recipes/wrong.yaml:9: 'model.image' should be a component of kind ImageBackbone; totalml.model.Mlp is none"
    )


def test_a_component_cannot_be_smuggled_in_without_its_target_being_checked(project, write_recipe):
    write_recipe(
        "wrong", f"{HEAD}training:\n  optimizer:\n    _target_: null\n    target: os.system\n    arguments: {{}}\n"
    )
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    assert "recipes/wrong.yaml:10: expected a dotted name" in mistake
    (project / "conf" / "training" / "standard.yaml").write_text(
        "epochs: 1\nbatch_size: 1\noptimizer: {target: torch.optim.SGD, arguments: {}}\n"
    )
    (mistake,) = mistakes_of(project, "+recipe=photos")
    assert (
        "conf/training/standard.yaml:3: 'training.optimizer' should be a class of torch, named by a _target_" in mistake
    )


@pytest.mark.parametrize(
    "value", ["${oc.${question}:HOME}", "${runtime.store}", "${python_version:}", "${oc.env:HOME}/x"]
)
def test_no_spelling_brings_the_environment_into_a_recipe(project, monkeypatch, write_recipe, value):
    write_recipe(
        "wrong", f"{HEAD}question: env\nevaluation:\n  positive: {value}\nruntime:\n  store: ${{oc.env:HOME}}\n"
    )
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    assert mistake.startswith("recipes/wrong.yaml:10: 'evaluation.positive': ")
    assert "depends on" in mistake or "not found" in mistake


@pytest.mark.parametrize(
    "text",
    [
        "hydra: {callbacks: {x: {_target_: numpy.load, file: PLANTED}}}",
        "defaults: [photos, 'other@hydra.callbacks.x', _self_]",
        "defaults: [photos, override /hydra/launcher: basic, _self_]",
        "defaults: [photos, {'/model@hydra.callbacks.x': mlp}, _self_]",
        "# @package hydra.callbacks\nx: {_target_: pathlib.Path.touch}",
    ],
)
@pytest.mark.parametrize("flag", [[], ["-m"]])
def test_a_recipe_cannot_make_hydra_create_objects(project, write_recipe, capsys, tmp_path, text, flag):
    planted = tmp_path / "planted"
    write_recipe("other", "_target_: pathlib.Path.touch\nself: x\n")
    write_recipe("evil", text.replace("PLANTED", str(planted)) + "\n")
    assert main(project, print, ["+recipe=evil", *flag], sweep=sweep) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not planted.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["model=null"],
        ["training=1"],
        ["training.optimizer.lr=nan"],
        ["training.optimizer.lr=inf"],
        ["training.epochs=99999999999999999999"],
        ["training.optimizer.betas={_target_:torch.optim.SGD,lr:1}"],
        ["training.optimizer._target_=torch.optim.optimizer.register_optimizer_step_post_hook"],
        ["training.optimizer._target_=torch.optim.optimizer.deepcopy"],
        ["runtime.store="],
        ["data.source.root="],
        ["features=table", "features.table.numeric=[x]"],
        ["data.split={train:1.0,validation:0.0,test:0.0}"],
        ["-m", "--cfg", "job"],
    ],
)
def test_odd_values_on_the_command_line_are_mistakes_not_crashes(project, capsys, arguments):
    assert main(project, print, ["+recipe=photos", *arguments], sweep=sweep) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert len(said.err.strip()) > 15
    assert "did you mean 'deepcopy'" not in said.err


@pytest.mark.parametrize(
    "content",
    [b"name: [1\n", "name: \u00fc\n".encode("utf-16"), b"name: \xfc\n", b"3\n", b"- a\n", b"a: &t {b: *t}\n",
     b"a: 1\na: 2\n", b"defaults: photos\n", b"defaults: [3]\n", b"defaults: [wrong]\n", b"training: []\n", b""],
)  # fmt: skip
def test_any_file_as_a_recipe_is_a_mistake_not_a_crash(project, capsys, content):
    (project / "recipes" / "wrong.yaml").write_bytes(content)
    assert main(project, print, ["+recipe=wrong"]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert len(said.err.strip()) > 15


def test_a_multirun_that_matches_nothing_says_so(project, capsys):
    assert main(project, print, ["-m", "+recipe=glob(nope*)"], sweep=sweep) == 2
    assert "nothing to run" in capsys.readouterr().err


def test_a_missing_key_points_at_the_section_around_it(project):
    (project / "conf" / "training" / "standard.yaml").write_text(
        "# comment\nepochs: 1\noptimizer:\n  _target_: torch.optim.SGD\n  lr: 1\n"
    )
    (mistake,) = mistakes_of(project, "+recipe=photos")
    assert mistake.endswith("missing key 'training.batch_size'")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "command line: name a recipe, e.g. +recipe=photos; there are: photos"),
        (["-m"], "command line: name a recipe, e.g. +recipe=photos; there are: photos"),
        (["photos"], "command line: expected key=value, got 'photos', did you mean '+recipe=photos'?"),
        (["+recipe=photo"], "command line: there is no recipe 'photo', did you mean 'photos'?; there are: photos"),
        (["+recipe=photos", "model=smallcnn"], "command line: there is no option of group 'model' 'smallcnn', did you"),
        (["+recipe=photos", "seed=[1"], "command line: cannot read 'seed=[1'"),
        (["+recipe=photos", "--experimental-rerun=x.pickle"], "command line: --experimental-rerun unpickles a file"),
    ],
)
def test_a_mistake_on_the_command_line_exits_with_2_and_no_traceback(project, capsys, arguments, expected):
    assert main(project, print, arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith(expected)
    assert "Traceback" not in said.err


def test_a_value_that_a_shell_cut_at_its_spaces_is_shown_in_quotes_that_work(project, capsys):
    assert main(project, print, ["+recipe=photos", "question=my", "data/two", "shapes", "seed=3"]) == 2
    shown = """'question="my data/two shapes"'"""
    assert capsys.readouterr().err.strip() == (
        f"command line: expected key=value, got 'data/two'; quote a value with a space: {shown}"
    )
    assert compose_recipe(project, ["+recipe=photos", *shlex.split(shown)]).question == "my data/two shapes"


@pytest.mark.parametrize("value", ["year>=2020", "type=='mono'", 'type == "mono"'])
def test_a_value_that_compares_is_shown_in_quotes_that_work(project, capsys, value):
    assert main(project, print, ["+recipe=photos", f"data.where={value}"]) == 2
    told, _, shown = capsys.readouterr().err.strip().partition("; quote the value as a whole: ")
    assert told == f"command line: cannot read {f'data.where={value}'!r}"
    assert compose_recipe(project, ["+recipe=photos", *shlex.split(shown)]).data.where == value


def test_a_misspelt_group_option_in_a_recipe_is_reported_at_its_line(project, write_recipe):
    write_recipe("wrong", "# card\ndefaults:\n  - override /model: smal_cnn\nname: wrong\n")
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    assert mistake.startswith("recipes/wrong.yaml:3: there is no option of group 'model' 'smal_cnn', did you mean")


def test_broken_yaml_is_reported_at_its_line(project, write_recipe):
    write_recipe("wrong", "name: x\ntraining: {epochs: 3\nseed: 1\n")
    (mistake,) = mistakes_of(project, "+recipe=wrong")
    assert mistake.startswith("recipes/wrong.yaml:3: not valid YAML: ")


def test_the_traceback_is_shown_when_asked_for(project, capsys, monkeypatch):
    monkeypatch.setenv("TOTALML_TRACEBACK", "1")
    assert main(project, print, ["+recipe=photos", "seed=-1"]) == 2
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.delenv("TOTALML_TRACEBACK")
    assert main(project, print, ["+recipe=photos", "seed=-1", "--traceback"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_package_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("totalml.target.signature_of", lambda _: None)
    monkeypatch.setattr("totalml.target.find_spec", lambda _: None)
    with pytest.raises(ExceptionGroup) as told:
        foreign_component("torch.optim.AdamW", {})
    assert 'python -m pip install "totalml[train]"' in str(told.value.exceptions[0])
