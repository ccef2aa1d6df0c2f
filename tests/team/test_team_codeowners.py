"""`.github/CODEOWNERS` is what `team.yaml` gives, below lines of one's own."""

from __future__ import annotations

import pytest

from tests.projects import replace


@pytest.fixture
def owners(project, tell):
    """What is written."""

    def owners() -> str:
        tell("ann", "team", "codeowners")
        return (project / ".github/CODEOWNERS").read_text()

    return owners


def test_each_file_is_owned_by_who_answers_for_it(project, owners, file_regression):
    replace(project / "team.yaml", "    may_promote: [eve]\n", "    owner: eve\n    may_deploy: [bob, eve]\n")
    (project / "deployments/the bar.yaml").write_text("model: pints\n")
    (project / "deployments/other.yml").write_text("model: stouts\n")
    file_regression.check(owners(), basename="codeowners", extension=".txt")


def owner_of(text: str, path: str) -> list[str]:
    """As GitHub reads it, for the patterns that are written: the last one that fits."""
    found: list[str] = []
    for line in text.splitlines():
        pattern, *owners = line.split()
        fits = pattern == path or (pattern.endswith("/") and path.startswith(pattern))
        found = owners if fits and not line.startswith("#") else found
    return found


def test_a_model_of_its_own_has_its_files_and_no_others(project, owners):
    replace(
        project / "team.yaml", "    may_promote: [eve]\n", "    reviewers: []\n    owner: eve\n    may_deploy: [eve]\n"
    )
    text, eve = owners(), ["eve@example.org"]
    for path in ("/recipes/pints.yaml", "/recipes/pints/source.py", "/deployments/pub.yaml"):
        assert owner_of(text, path) == eve
    assert owner_of(text, "/recipes/pints_of_others.yaml") == ["@ann-d", *eve]
    assert owner_of(text, "/team.yaml") == owner_of(text, "/.github/CODEOWNERS") == ["@ann-d"]
    assert owner_of(text, "/deployments/other.yaml") == ["@ann-d"]


def test_a_check_fails_with_a_diff_until_it_is_written(project, tell, owners):
    said = tell("bob", "team", "codeowners", "--check", expect=2)
    assert "totalml team codeowners writes it" in said
    assert "+/team.yaml @ann-d" in said
    assert not (project / ".github").exists()
    owners()
    assert "is what team.yaml gives" in tell("bob", "team", "codeowners", "--check")
    replace(project / "team.yaml", "@ann-d", "@ann-e")
    said = tell("bob", "team", "codeowners", "--check", expect=2)
    assert "\n-/team.yaml @ann-d\n" in said
    assert "\n+/team.yaml @ann-e\n" in said


def test_lines_of_ones_own_stay_above(project, owners):
    (project / ".github").mkdir()
    (project / ".github/CODEOWNERS").write_text("/src/ @core\n")
    first = owners()
    assert first.startswith("/src/ @core\n# From here on made of team.yaml")
    assert owners() == first


def test_files_without_an_owner_whom_github_knows_are_told_at_once(project, tell):
    replace(project / "team.yaml", '  ann: {handle: "@ann-d"}\n', "")
    said = tell("ann", "team", "codeowners", expect=2).splitlines()
    assert [line.partition(";")[0] for line in said] == [
        "team.yaml:1: GitHub would know no owner of /team.yaml, /.github/CODEOWNERS",
        "team.yaml:3: GitHub would know no owner of /deployments/",
    ]
    assert "`people: {ann: {handle: '@ann'}}`" in said[0]
    assert not (project / ".github").exists()


def test_nothing_is_written_outside_of_the_project(project, tell, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (project / ".github").symlink_to(outside)
    assert "leads out of the project" in tell("ann", "team", "codeowners", expect=2)
    assert not [*outside.iterdir()]


def test_a_project_without_a_team_has_no_owners(project, tell):
    (project / "team.yaml").unlink()
    assert "there is no team.yaml in" in tell("ann", "team", "codeowners", "--check", expect=2)
