"""`totalml recipe diff` tells a reviewer what a change does to recipes, whichever file it is in."""

import json
import re
import shutil

import pytest
from markdown_it import MarkdownIt

from tests.projects import PHOTOS, commit, git, replace, write_recipe
from totalml.authoring.changes import RecipeChange
from totalml.authoring.comment import LONGEST, MARK, as_markdown
from totalml.authoring.golden import composed_file, composed_text, metric_columns, metrics_file, read_metrics_text
from totalml.comparison.composed import Composed, compose_one
from totalml.compose import compose_recipe
from totalml.evaluation.record import Interval
from totalml.identity import config_hash, short
from totalml.recipe import what
from totalml.values.keys import KeyChange


@pytest.fixture
def changes(totalml):
    def changes(base: str = "main") -> dict:
        found = json.loads(totalml("recipe", "diff", base, "--json"))["recipes"]
        return {each["name"]: each for each in found}

    return changes


def add_recipe(project, name, text=""):
    write_recipe(project, name, PHOTOS.replace("name: photos", f"name: {name}") + text)


def hash_of(project, name):
    return config_hash(what(compose_recipe(project, [f"+recipe={name}"])))


def test_without_a_change_there_is_nothing_to_say(project, totalml, changes):
    (project / "README.md").write_text("no recipe")
    (project / "recipes/photos.yaml").write_text(f"# a comment\n{PHOTOS}")
    assert changes() == {}
    assert "\nNo recipe changes its composed form." in totalml("recipe", "diff", "main", "--markdown")


def test_an_edited_conf_file_changes_every_recipe_that_uses_it(project, totalml, changes):
    add_recipe(project, "quick", "training:\n  epochs: 2\n")
    commit(project)
    before = hash_of(project, "photos")
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: 31")
    found = changes()
    assert found.keys() == {"photos"}  # quick sets its own
    assert found["photos"]["config_hash"] == {"old": before, "new": hash_of(project, "photos")}
    shown = totalml("recipe", "diff", "main", "--markdown")
    assert "training.epochs  30 → 31  conf/training/standard.yaml:2" in shown
    assert f"`{short(before)}` → `{short(hash_of(project, 'photos'))}`" in shown


def test_added_removed_broken_and_mended_recipes_are_told(project, changes, totalml):
    for name in ("gone", "fine"):
        add_recipe(project, name)
    add_recipe(project, "ill", "seed: -1\n")
    commit(project)
    (project / "recipes/gone.yaml").unlink()
    add_recipe(project, "came")
    add_recipe(project, "ill")
    add_recipe(project, "fine", "seed: -1\n")
    found = changes()
    assert {name: each["kind"] for name, each in found.items()} == {
        "came": "added",
        "gone": "removed",
        "ill": "mended",
        "fine": "broken",
    }
    assert any("recipes/fine.yaml:8: 'seed'" in line for line in found["fine"]["mistakes"])
    assert "recipes/fine.yaml:8" in totalml("recipe", "diff", "main", "--markdown")


def test_what_others_did_on_the_base_meanwhile_is_not_shown(project, changes):
    git(project, "checkout", "--quiet", "-b", "mine")
    add_recipe(project, "mine")
    commit(project)
    git(project, "checkout", "--quiet", "main")
    add_recipe(project, "theirs")
    commit(project)
    git(project, "checkout", "--quiet", "mine")
    assert changes().keys() == {"mine"}


def write_golden(project, accuracy):
    columns = metric_columns({"accuracy": Interval(accuracy, accuracy - 0.1, accuracy + 0.1), "f1": Interval(None)})
    rows = [",".join([str(row), *(str(column[row]) for column in columns.values())]) for row in range(3)]
    file = project / metrics_file("photos")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([f",{','.join(columns)}", *rows]) + "\n")


def renew_composed(project):
    file = project / composed_file("photos")
    file.write_text(composed_text(compose_one(project, "photos")))


def test_golden_files_that_were_not_renewed_say_nothing_of_the_change(project, changes):
    write_golden(project, 0.8)
    renew_composed(project)
    commit(project)
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: 31")
    assert changes()["photos"]["metrics"] == []


def test_metrics_come_from_the_golden_files_of_both_revisions(project, changes, totalml):
    write_golden(project, 0.8)
    renew_composed(project)
    commit(project)
    write_golden(project, 0.85)
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: 31")
    renew_composed(project)
    (accuracy, f1) = changes()["photos"]["metrics"]
    assert (accuracy["old"]["value"], accuracy["new"]["high"]) == (0.8, pytest.approx(0.95))
    assert f1["old"] == f1["new"] == {"value": None, "low": None, "high": None, "note": None}
    shown = totalml("recipe", "diff", "main")
    assert "+5.0 points" in shown
    assert "75.0 to 95.0" in shown


def test_metrics_of_finished_runs_come_before_golden_files(project, changes):
    write_golden(project, 0.8)
    commit(project)
    hashes = [hash_of(project, "photos")]
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: 31")
    hashes.append(hash_of(project, "photos"))
    for config, accuracy in zip(hashes, (0.6, 0.7), strict=True):
        folder = project / "runs/photos" / f"{short(config)}-00000000" / "1"
        folder.mkdir(parents=True)
        facts = {"status": "finished", "run_id": folder.parent.name, "config_hash": config, "data_hash": "blake3:0"}
        (folder / "run.json").write_text(json.dumps(facts | {"code": {"digest": "x"}}))
        metric = {"value": accuracy, "low": None, "high": None, "note": None}
        (folder / "metrics.json").write_text(json.dumps({"metrics": {"accuracy": metric}}))
    found = changes()["photos"]
    assert found["measured"].startswith("runs ")
    assert found["metrics"][0]["difference"] == pytest.approx(0.1)


@pytest.mark.parametrize("text", [None, "", "a,b\n", ",accuracy\n0,x\n1,y\n2,z\n", ",accuracy\n0,1\n", "\x00"])
def test_a_golden_file_that_is_none_gives_no_metrics(text):
    assert read_metrics_text(text) == {}


HOSTILE = "</code>@everyone <img src=x onerror=alert(1)> ``` [x](https://example.org) | \\u202e"


def test_a_hostile_recipe_cannot_leave_its_code_block(project, totalml):
    add_recipe(project, "bad", f'question: "{HOSTILE}\\n```\\n# heading @you"\n')
    commit(project)
    add_recipe(project, "bad", f'question: "{HOSTILE} more\\n```\\n@me"\nseed: 3\n')
    hostile_name = "`@all` <b>x"
    (project / f"recipes/{hostile_name}.yaml").write_text("name: '<script>@all'\n```: @all\n")
    shown = totalml("recipe", "diff", "main", "--markdown")
    assert "everyone" in shown
    text = []
    for token in MarkdownIt().parse(shown.removeprefix(MARK)):
        assert token.type not in ("html_block",)
        for child in token.children or [token]:
            assert child.type not in ("html_inline", "link_open", "image")
            if child.type not in ("code_inline", "fence"):
                text.append(child.content)
    assert "@" not in "".join(text)
    assert "\u202e" not in shown


def test_a_comment_is_never_longer_than_github_takes():
    keys = tuple(KeyChange((f"key_{n}",), (f"key_{n}",), "x" * 500, "y" * 500) for n in range(200))
    changes = [RecipeChange(f"recipe_{n}", "changed", Composed(), Composed(), keys) for n in range(60)]
    shown = as_markdown(changes, "main", "0" * 40)
    assert LONGEST / 2 < len(shown) <= 65_536
    assert "60 recipes change" in shown
    assert "#### `recipe_0` changed" in shown
    assert "and 120 more" in shown  # of the keys
    assert re.search(r"Too long to show: `recipe_\d+`, .* and \d+ more", shown)


def test_a_broken_history_is_explained(project, totalml):
    assert "git knows no revision 'origin/main'" in totalml("recipe", "diff", "origin/main", expect=2)
    shutil.rmtree(project / ".git")
    assert "not a git repository" in totalml("recipe", "diff", "main", expect=2)
