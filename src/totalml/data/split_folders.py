"""Folders that are split already: `root/train/<label>/photo.jpg` beside `root/test/<label>/photo.jpg`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

COLUMN = "split"  # of the metadata
_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
_SPLIT = {name: split for split, names in _NAMES.items() for name in names}


def split_named(folder: str) -> str | None:
    """The split that a folder's name means, capitals or not."""
    return _SPLIT.get(folder.casefold())


def mend_of_split(root: Path, folders: Sequence[str]) -> str | None:
    """What to do about class folders that are splits; None if they are none.

    Args:
        folders: the names of the folders in the root, at least one.
    """
    named = [name for name in folders if split_named(name)]
    found = {split_named(name) for name in named}
    if len(found) < 2 and len(named) < len(folders):  # one class may well be called 'train'
        return None
    labels = "if they are labels: data.source.split_folders=false"
    if not any(_holds_folders(root / name) for name in named):
        return f"no folders of labels lie in {_listed(named)}; expected {root}/{named[0]}/<label>/photo.jpg; {labels}"
    told = f"the folder {root} is split already: {_listed(named)} name splits, no labels"
    if len(named) == 1:
        return f"the only folder in {root} is {named[0]!r}; set data.source.root={root / named[0]}; {labels}"
    anew = "to share all photos out anew: data.source.split_folders=true"
    missing = [split for split in _NAMES if split not in found]
    if missing:
        keep = f"to keep the split, move some photos to {root}/{missing[0]}/<label>/, because a run needs all three"
    else:
        keep = f"to keep the split: data.source.split_folders=true data.split.by=column data.split.column={COLUMN}"
    return f"{told}. {keep[0].upper()}{keep[1:]}; {anew}; {labels}"


def _holds_folders(folder: Path) -> bool:
    try:
        return any(entry.is_dir() for entry in folder.iterdir())
    except OSError:  # nobody may look; it is told as a folder that cannot be read
        return True


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
