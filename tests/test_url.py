import sys
from importlib import import_module
from pathlib import Path

import pytest

from totalml.compose import compose_recipe
from totalml.errors import MissingExtraError, RecipeError
from totalml.project import find_place
from totalml.store.remote import Remote
from totalml.url import checked, working_folder


@pytest.mark.parametrize("place", ["runs", "/data/runs", "a:b", "s3:/x", "s3://bucket/prefix", "file:///data"])
def test_a_place_that_can_be_used_is_kept(place):
    assert checked(place) == place


def test_a_last_slash_makes_no_other_place():
    assert checked("s3://bucket/prefix/") == "s3://bucket/prefix"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s33://bucket/x", "no filesystem is known for s33://, did you mean 's3'"),
        ("nowhere://bucket/x", "no filesystem is known for nowhere://; known are s3"),
        ("s3://key:secret@bucket/x", "the s3 URL holds a password"),
        ("simplecache::s3://bucket/x", "without '::'"),
        ("s3://", "s3:// names no folder"),
        ("s3:///", "s3:// names no folder"),
    ],
)
def test_a_place_that_cannot_be_used_is_explained(url, message):
    with pytest.raises(ValueError, match=message) as told:
        checked(url)
    assert "secret" not in str(told.value)


def test_store_and_runs_at_one_url_do_not_share_a_working_folder():
    folders = {working_folder("s3://bucket/x", role, "cache") for role in ("store", "runs")}
    assert len(folders) == 2
    assert working_folder("s3://bucket/y", "store", "cache") not in folders


@pytest.mark.parametrize(
    ("url", "package", "command"),
    [("s3://bucket/x", "s3fs", '"totalml\\[s3\\]"'), ("gs://bucket/x", "gcsfs", "install gcsfs")],
)
def test_a_filesystem_that_is_not_installed_is_named_with_its_mend(monkeypatch, url, package, command):
    registry = import_module("fsspec.registry")
    monkeypatch.delitem(registry._registry, url.partition(":")[0], raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"{url} needs the package '{package}'.*{command}"):
        Remote(url)


def test_a_mistake_in_a_url_is_told_with_its_key():
    with pytest.raises(RecipeError, match=r"runtime\.store: no filesystem is known for s33://, did you mean 's3'"):
        compose_recipe(Path(__file__).parents[1], ["+recipe=guinness_smoke", "runtime.store=s33://bucket/x"])


def test_commands_and_runs_mean_the_same_folder_by_a_url(tmp_path, monkeypatch):
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    place = find_place(tmp_path, "memory://team/runs", "memory://team")
    assert place.store == working_folder("memory://team", "store", ".totalml/remote")
    assert place.runs == working_folder("memory://team/runs", "runs", ".totalml/remote")
