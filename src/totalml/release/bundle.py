"""A release as it lies in the store: files, and a manifest with the digest of each; its name is the manifest's digest.

So whoever knows the name can tell that every byte is as it was released, wherever the folder came from.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from totalml.errors import StoreError
from totalml.identity import DIGEST, PREFIX, canonical, digest, file_digest, short
from totalml.store import Store
from totalml.store.atomic import atomic_folder, explained, remove_leftovers, temporary_beside

RELEASES = "releases"
MANIFEST = "manifest.json"
MODEL, WEIGHTS, SIGNATURE = "model.onnx", "model.safetensors", "signature.json"
METRICS, GATES, RECIPE, CARD = "metrics.json", "gates.json", "recipe.yaml", "MODEL_CARD.md"
STRANGERS, REFERENCE, SBOM = "out_of_distribution.safetensors", "reference/rows.parquet", "sbom.cdx.json"
PERIODS = "reference/periods.parquet"  # of series: every period that the run knew, a row each
REGION = "region.json"  # where a model that tells what it looks at ought to look
PLAN = "plan.json"  # of levers, and the curves to make other plans from
TRAINING = "training.json"  # of a model that torch runs

SCHEMA = 1
MOST_BYTES = 2**20  # of a manifest
_FILE = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*")  # below the folder, and nowhere else


@dataclass(frozen=True)
class Bundle:
    """Args:
    folder: of this machine.
    facts: what the release was made of and with: name, run_id, attempt, config_hash, data_hash, backend ...
    files: name -> digest.
    """

    folder: Path
    facts: Mapping[str, Any]
    files: Mapping[str, str]
    _held: set[str] = field(default_factory=set, compare=False, repr=False)

    @cached_property  # a service tells it in every answer
    def hash(self) -> str:
        return _hash_of(self.facts, self.files)

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """Plain values of the recipe that it was made by. Raises: StoreError: it is gone or changed."""
        import yaml

        return dict(yaml.safe_load(self.read(RECIPE)))

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def file(self, name: str) -> Path:
        """A file of the release that holds what was released; looked at once.

        Raises: StoreError: it is gone or changed, or the release has none of that name.
        """
        path = self.folder / name
        if name in self._held:
            return path
        if name not in self.files:
            raise StoreError(f"release {self.hash} holds no {name}; it holds: {', '.join(sorted(self.files))}")
        try:
            found = file_digest(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}. {_mend(self.folder)}") from error
        if found != self.files[name]:
            raise StoreError(f"{path} is not what was released. {_mend(self.folder)}")
        self._held.add(name)
        return path

    def read(self, name: str) -> bytes:
        """Raises: StoreError: as `file`."""
        return self.file(name).read_bytes()

    def read_json(self, name: str) -> Any:
        """Raises: StoreError: as `file`."""
        return json.loads(self.read(name))

    def verify(self) -> None:
        """Raises: StoreError: any file is gone or changed."""
        for name in self.files:
            self.file(name)


def open_bundle(hash_: str, store: Store) -> Bundle:
    """A release of the store, brought here if it lies in a remote one.

    Raises: StoreError: it is not there, or is damaged.
    """
    folder = store.root / RELEASES / _plain(hash_)
    if not folder.is_dir():
        store.fetch(RELEASES, folder.name)
    if not folder.is_dir():
        raise StoreError(f"release {hash_} is not in the store {store.root}; was it made in another store?")
    bundle = read_bundle(folder)
    if bundle.hash != PREFIX + folder.name:
        raise StoreError(f"{folder / MANIFEST} is not what was released. {_mend(folder)}")
    return bundle


def read_bundle(folder: Path) -> Bundle:
    """A release in any folder, such as a copy of one; its name is what its manifest gives.

    Raises: StoreError: there is none, or its manifest is damaged.
    """
    file = folder / MANIFEST
    try:
        with file.open("rb") as reader:
            values = json.loads(reader.read(MOST_BYTES))
        facts, files = values["facts"], values["files"]
        if not isinstance(facts["name"], str) or facts["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}; update totalml")
        if wrong := [name for name in files if not _FILE.fullmatch(name) or not isinstance(files[name], str)]:
            raise ValueError(f"it names {wrong[0]!r}")
    except OSError as error:
        raise StoreError(f"there is no release in {folder}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{file} is no manifest of a release ({error}). {_mend(folder)}") from error
    return Bundle(folder, facts, files)


@contextmanager
def new_folder(store: Store) -> Iterator[Path]:
    """An empty folder to fill with the files of a release; it goes away at the end.

    One at a time on this machine, so that what a killed process left can be told from what another one is at.
    """
    with store.lock(RELEASES):
        with explained(store.folder(RELEASES)):
            remove_leftovers(store.folder(RELEASES))
            folder = temporary_beside(store.folder(RELEASES) / "making")
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def save_bundle(filled: Path, facts: Mapping[str, Any], store: Store) -> Bundle:
    """Move what fills a folder to the release that it makes; the same release made twice is one.

    Raises: StoreError: the store cannot be written.
    """
    names = sorted(path.relative_to(filled).as_posix() for path in filled.rglob("*") if path.is_file())
    facts, files = {"schema": SCHEMA, **facts}, {name: file_digest(filled / name) for name in names}
    hash_ = _hash_of(facts, files)
    (filled / MANIFEST).write_bytes(canonical({"facts": facts, "files": files}))
    final = store.root / RELEASES / _plain(hash_)
    with store.lock(f"release-{short(hash_, 32)}"):
        if final.is_dir() and not (final / MANIFEST).exists():
            shutil.rmtree(final)
        with atomic_folder(final) as folder, explained(folder):
            shutil.copytree(filled, folder, dirs_exist_ok=True)
    store.publish(RELEASES, final.name)
    bundle = read_bundle(final)
    bundle.verify()
    return bundle


def copy_bundle(bundle: Bundle, folder: Path) -> None:
    """Its files and its manifest, into a folder that is made."""
    for name in (MANIFEST, *bundle.files):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.folder / name, target)


def releases(store: Store) -> list[str]:
    """Hashes of the releases that are on this machine."""
    folder = store.root / RELEASES
    return sorted(PREFIX + path.name for path in folder.glob("*") if DIGEST.fullmatch(PREFIX + path.name))


def _hash_of(facts: Mapping[str, Any], files: Mapping[str, str]) -> str:
    return digest("release v1", canonical({"facts": dict(facts), "files": dict(files)}))


def _plain(hash_: str) -> str:
    plain = hash_.removeprefix(PREFIX)
    if not DIGEST.fullmatch(PREFIX + plain):
        raise StoreError(f"{hash_!r} is no hash of a release; give its 64 hexadecimal digits")
    return plain


def _mend(folder: Path) -> str:
    return f"Delete {folder} and release the run again, or bring it from a backup; no other release is touched."
