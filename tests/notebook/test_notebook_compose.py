"""Composing from a notebook gives what the command line gives, and leaves Hydra as it was."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.version import getbase

import totalml
from totalml.component import plain
from totalml.compose import compose_recipe
from totalml.errors import RecipeError

REPOSITORY = Path(__file__).parents[2]
OVERRIDES = ("training.epochs=5", "model=torchvision", "seed=3")


def test_it_is_the_recipe_of_the_command_line():
    composed = totalml.compose("guinness_smoke", *OVERRIDES, project=REPOSITORY)
    assert plain(composed, where=True) == plain(
        compose_recipe(REPOSITORY, ["+recipe=guinness_smoke", *OVERRIDES]), where=True
    )
    assert composed.training.epochs == 5
    assert composed.command == ("run.py", "+recipe=guinness_smoke", *OVERRIDES)


def test_the_project_is_found_from_a_folder_inside_it(monkeypatch):
    monkeypatch.chdir(REPOSITORY / "docs")
    assert totalml.compose("guinness_smoke").project == REPOSITORY


def test_without_a_project_it_says_what_to_give(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="is in no project; give project=, the folder that holds conf/ and recipes/"):
        totalml.compose("guinness_smoke")
    with pytest.raises(RecipeError, match=r"project='nowhere' is no folder \(seen from"):
        totalml.compose("guinness_smoke", project="nowhere")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("guines",), ["command line: there is no recipe 'guines', did you mean 'guinness'?"]),
        (
            ("guinness", "training.epoch=3", "training.optimizer.learning_rate=1"),
            ["command line: AdamW takes no argument 'learning_rate'", "command line: unknown key 'training.epoch'"],
        ),
        (("guinness", "-m"), ["command line: -m is for run.py; give overrides such as training.epochs=5"]),
        (("guinness", "training"), ["command line: cannot read 'training'"]),
    ],
)
def test_every_mistake_is_told_at_once_and_a_notebook_shows_nothing_else(arguments, lines, monkeypatch):
    with pytest.raises(RecipeError) as caught:
        totalml.compose(*arguments, project=REPOSITORY)
    (shown,) = caught.value._render_traceback_()
    assert [line.startswith(start) for line, start in zip(str(caught.value).splitlines(), lines, strict=True)]
    assert shown == f"RecipeError: {caught.value}"
    assert caught.value.__context__ is None  # else IPython would show the whole traceback of an ExceptionGroup
    monkeypatch.setenv("TOTALML_TRACEBACK", "1")
    assert any("in compose" in line for line in caught.value._render_traceback_())


def test_a_notebook_shows_the_recipe_as_yaml():
    shown = repr(totalml.compose("guinness_smoke", project=REPOSITORY)).splitlines()
    assert shown[0] == "name: guinness_smoke"
    assert "  epochs: 2" in shown


def test_an_app_of_hydra_that_runs_already_stays_as_it_was(tmp_path):
    (tmp_path / "config.yaml").write_text("mine: 1\n")
    with initialize_config_dir(str(tmp_path), job_name="mine", version_base="1.2"):
        running, launchers = GlobalHydra.instance().hydra, dict(ConfigStore.instance().repo["hydra"]["launcher"])
        for arguments in (("guinness_smoke", "seed=4"), ("guines",)):
            try:
                assert totalml.compose(*arguments, project=REPOSITORY).seed == 4
            except RecipeError as error:
                assert "did you mean 'guinness'?" in str(error)  # noqa: PT017 - one of the two has no mistake
            assert GlobalHydra.instance().hydra is running
            assert str(getbase()) == "1.2"
            assert JobRuntime.instance().get("name") == "mine"
            assert dict(ConfigStore.instance().repo["hydra"]["launcher"]) == launchers
            assert hydra_compose("config") == {"mine": 1}
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        paths = GlobalHydra.instance().config_loader().get_search_path().get_path()
        assert "recipes" not in [path.provider for path in paths]


def test_threads_that_compose_at_once_get_what_each_asked_for(project):
    def seed_of(seed: int) -> int:
        where = ("guinness_smoke", REPOSITORY) if seed % 2 else ("photos", project)
        recipe = totalml.compose(where[0], f"seed={seed}", project=where[1])
        assert recipe.name == where[0]
        return recipe.seed

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(seed_of, range(12))) == list(range(12))


def test_the_code_of_a_second_project_is_refused_not_mistaken_for_that_of_the_first(project, tmp_path):
    totalml.compose("guinness_smoke", project=REPOSITORY)  # imports the package recipes of the repository
    second = tmp_path / "second"
    shutil.copytree(project, second)
    (second / "recipes" / "guinness").mkdir()
    (second / "recipes" / "guinness" / "source.py").write_text("raise SystemExit('the code of another project')")
    with pytest.raises(RecipeError, match=f"imported recipes/ of the project {REPOSITORY}, .* restart the kernel"):
        totalml.compose("photos", project=second)
    assert totalml.compose("photos", project=project).name == "photos"  # which has no code of its own
    assert totalml.compose("guinness_smoke", project=REPOSITORY).name == "guinness_smoke"


def test_the_packages_that_can_be_called_are_still_packages():
    import inspect

    import totalml.compose as compose
    import totalml.runs as runs

    assert compose is totalml.compose
    assert compose.compose_recipe is compose_recipe
    assert runs.RunFolders.__module__ == "totalml.runs.folders"
    assert list(inspect.signature(totalml.compose).parameters) == ["recipe", "overrides", "project"]
    with pytest.raises(AttributeError, match="has no attribute 'composee'"):
        totalml.composee  # noqa: B018
