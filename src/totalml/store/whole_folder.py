"""A folder of files on a remote filesystem that a reader gets whole or not at all.

Its files are sent first and the list of their digests last: without the list the folder does not count.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from totalml.errors import StoreError
from totalml.identity import PREFIX, file_digest
from totalml.store.atomic import TEMPORARY
from totalml.store.local_files import FileGoneError
from totalml.store.remote import Remote

DIGESTS = "digests.json"


class DamagedObjectError(StoreError):
    """A remote file that is not what was sent."""


def send_folder(remote: Remote, folder: Path, name: str) -> None:
    """Copy the files of a local folder; one that was sent earlier does not count meanwhile."""
    if f"{name}/{DIGESTS}" in remote.files(name):
        remote.remove(f"{name}/{DIGESTS}")
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if _is_finished(path)}
    digests = {}
    for below, path in files.items():
        digests[below] = file_digest(path)
        remote.put(path, f"{name}/{below}")
    remote.write(f"{name}/{DIGESTS}", json.dumps(digests, indent=2).encode())


def digests_of(remote: Remote, name: str) -> dict[str, str]:
    """File -> digest of a remote folder, in the order they were sent.

    Raises: DamagedObjectError: the list cannot be read.
    """
    place = f"{name}/{DIGESTS}"
    try:
        digests = json.loads(remote.read(place))
        if not all(isinstance(text, str) and _is_below(file) for file, text in digests.items()):
            raise ValueError("it names other places")
    except (ValueError, AttributeError, RecursionError) as error:
        raise DamagedObjectError(f"{remote.at(place)} is damaged ({error})") from error
    return dict(digests)


def read_file(remote: Remote, name: str, file: str) -> bytes:
    """Raises: DamagedObjectError: one file of a remote folder is not what was sent."""
    from blake3 import blake3

    data = remote.read(f"{name}/{file}")
    if PREFIX + blake3(data).hexdigest() != digests_of(remote, name).get(file):
        raise DamagedObjectError(f"{remote.at(name)}/{file} is damaged: its bytes do not have the digest listed there")
    return data


def bring_file(remote: Remote, name: str, digest: str, target: Path) -> None:
    """Copy one file here, where nobody looks for it yet.

    Raises: DamagedObjectError: it does not have the digest.
    """
    try:
        remote.get(name, target)
    except FileGoneError as error:
        raise DamagedObjectError(f"{remote.at(name)} is gone, though a list of digests names it") from error
    if file_digest(target) != digest:
        target.unlink()
        raise DamagedObjectError(f"{remote.at(name)} is damaged: its bytes do not have the digest {digest}")


def bring_folder(
    remote: Remote, name: str, target: Path, wanted: Callable[[str], bool] = lambda _: True
) -> dict[str, str]:
    """Copy the wanted files of a remote folder to a local one, where nobody looks for them yet.

    Returns: file -> digest of what was copied.
    Raises: DamagedObjectError: a file is not what was sent.
    """
    digests = {file: digest for file, digest in digests_of(remote, name).items() if wanted(file)}
    # Backwards: of a folder that is sent anew meanwhile, nothing is older than what refers to it.
    for file in reversed(digests):
        bring_file(remote, f"{name}/{file}", digests[file], target / file)
    return digests


def _is_finished(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(TEMPORARY)


def _is_below(file: str) -> bool:
    path = PurePosixPath(file)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in file
