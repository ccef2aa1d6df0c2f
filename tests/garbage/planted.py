"""A small store with known contents, and what refers to it: runs, pins and aliases."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from blake3 import blake3

from totalml.data import Snapshot, load_snapshot
from totalml.data.columns import metadata_table, sample_table, skipped_table
from totalml.data.data_hash import data_hash
from totalml.data.sample import Row
from totalml.data.snapshot import save_snapshot
from totalml.features.segments import PIXELS, open_segments, write_segment
from totalml.identity import PREFIX, short
from totalml.project import Place
from totalml.registry import Aliases, Promotion
from totalml.store import Store
from totalml.store.store import to_text

OLD = 1_000_000.0  # seconds since 1970
KEY = "blake3:" + "ab" * 32


class Planted:
    """Args:
    folder: empty; holds the project, its runs and its store.
    """

    def __init__(self, folder: Path) -> None:
        for part in ("conf", "recipes", "runs"):
            (folder / part).mkdir(parents=True)
        self.store = Store(folder / ".totalml")
        self.place = Place(folder, folder / "runs", self.store.root)
        self.contents: dict[str, list[str]] = {}  # data hash -> digests of its pictures
        self.masks: dict[str, str] = {}

    def snapshot(self, numbers: Iterable[int]) -> str:
        """Of pictures by number, decoded, the first one with a mask."""
        blobs = [f"picture {number}".encode() * (number + 1) for number in numbers]
        blobs.append(b"mask of " + blobs[0])
        raw = [blake3(blob).digest() for blob in blobs]
        with self.store.writing() as writer:
            for digest, blob in zip(raw, blobs, strict=True):
                if writer.find(digest) is None:
                    writer.add(digest, blob)
        *raw, mask = raw
        masks = [mask, *[None] * (len(raw) - 1)]
        rows = [
            Row(f"{place}-{to_text(digest)[-8:]}", digest, len(blob), "a", None, None, mask, {})
            for place, (digest, blob, mask) in enumerate(zip(raw, blobs[:-1], masks, strict=True))
        ]
        samples, metadata = sample_table(rows), metadata_table(rows)
        snapshot = Snapshot(data_hash(samples, metadata), samples, metadata, skipped_table([]))
        save_snapshot(snapshot, {}, self.store)
        self.contents[snapshot.data_hash] = [to_text(digest) for digest in raw]
        self.masks[snapshot.data_hash] = to_text(mask)
        self._decoded(self.contents[snapshot.data_hash])
        (self._shared(snapshot.data_hash) / "manifest.json").write_text(json.dumps({"data_hash": snapshot.data_hash}))
        memory = self.store.folder("fingerprints") / f"{short(snapshot.data_hash)}.json"
        memory.write_text(json.dumps({"data_hash": snapshot.data_hash}))
        return snapshot.data_hash

    def _shared(self, data: str) -> Path:
        """Where values of a shared feature lie that has the snapshot as its source."""
        return self.store.folder("shared", data.removeprefix(PREFIX))

    def _decoded(self, blobs: list[str]) -> None:
        folder = self.store.folder("features", "f" * 32, "segments")
        there = {blob for segment in open_segments(folder, PIXELS)[0] for blob in segment.blobs().to_pylist()}
        if missing := [blob for blob in blobs if blob not in there]:
            write_segment(folder, missing, (np.zeros((2, 2, 3), np.uint8) for _ in missing), PIXELS)

    def run(self, data: str, stage: str = KEY, status: str = "finished") -> Path:
        """An attempt's folder, and the stage that it names."""
        run_id = f"{short(KEY)}-{short(data)}"
        folder = self.place.runs / "pints" / run_id / "1"
        folder.mkdir(parents=True, exist_ok=True)
        made = {part: {"digest": KEY} for part in ("code", "environment", "execution")}
        facts = {**made, "status": status, "data_hash": data, "run_id": run_id, "stages": {"training": {"key": stage}}}
        (folder / "run.json").write_text(json.dumps(facts))
        self.stage(stage)
        return folder

    def stage(self, key: str) -> Path:
        kept = self.store.folder("stages", "training", short(key, 32))
        (kept / "stage.json").write_text("{}")
        return kept

    def pin(self, data: str) -> None:
        recipe = self.place.project / "recipes" / f"pinned_{short(data)}.yaml"
        recipe.write_text(f"data:\n  snapshot: {data}  # of then\n")

    def alias(self, data: str) -> None:
        """Point production at a run whose folder is not here."""
        promotion = Promotion("2026-01-01T00:00:00Z", "production", f"01234567-{short(data)}", 1, KEY, "me")
        Aliases(self.store, "pints").move(lambda _: promotion)

    def age(self) -> None:
        """Make everything in the store old."""
        for path in (self.store.root, *self.store.root.rglob("*")):
            os.utime(path, (OLD, OLD))

    def use(self, data: str) -> None:
        os.utime(self.store.root / "snapshots" / data.removeprefix(PREFIX))

    def names(self) -> set[str]:
        """Everything in the store but locks and the folders that hold things."""
        files = (path.relative_to(self.store.root).as_posix() for path in self.store.root.rglob("*") if path.is_file())
        return {name for name in files if not name.startswith("locks/")}

    def require(self, data: str) -> None:
        """Fails unless the snapshot, its pictures and their pixels are whole."""
        store = Store(self.store.root)
        load_snapshot(data, store)
        assert (self._shared(data) / "manifest.json").exists()
        for _ in store.read_many([*self.contents[data], self.masks[data]]):
            pass
        segments, damaged = open_segments(self.store.root / "features" / ("f" * 32) / "segments", PIXELS)
        assert not damaged
        assert {blob for each in segments for blob in each.blobs().to_pylist()} >= {*self.contents[data]}
