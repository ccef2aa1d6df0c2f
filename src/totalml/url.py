"""Places that are no folder of this machine: URLs of a filesystem that fsspec knows, such as `s3://bucket/prefix`."""

import re
from pathlib import Path

from totalml.identity import digest, short

# They keep what they are given. Others of fsspec run code or fill templates on the way (`jupyter`, `reference`).
FILESYSTEMS = (
    "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "sftp", "ssh", "smb", "hdfs", "webhdfs", "file", "local",
    "memory",
)  # fmt: skip

_URL = re.compile(r"^([A-Za-z0-9.+-]+)://(.*)$", re.DOTALL)


def is_url(place: str) -> bool:
    return "://" in place


def protocol_of(url: str) -> str:
    return url.partition("://")[0]


def checked(place: str) -> str:
    """A folder, or a URL without its last slash.

    Raises: ValueError: no filesystem is known for the URL, it is chained, or it holds a password.
    """
    if not is_url(place):
        return place
    parts = _URL.match(place)
    if parts is None or "::" in place:
        raise ValueError("expected one URL such as s3://bucket/prefix, without '::'")
    protocol, rest = parts.groups()
    if re.match(r"^[^/]*:[^/]*@", rest):
        raise ValueError(
            f"the {protocol} URL holds a password, which would be recorded with every run; "
            "leave it to the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, ... for s3)"
        )
    _require_known(protocol)
    if not rest.strip("/"):
        raise ValueError(f"{protocol}:// names no folder; expected one such as {protocol}://bucket/prefix")
    return place.rstrip("/")


def local_folder(place: str, role: str, cache: str) -> Path:
    """The folder of this machine that a place means: itself, or the working folder that stands before a URL."""
    return working_folder(place, role, cache) if is_url(place) else Path(place)


def working_folder(url: str, role: str, cache: str) -> Path:
    """The folder of this machine that stands before a URL; `role` keeps a store and runs at one URL apart."""
    return Path(cache).absolute() / short(digest("url v1", f"{role} {url}".encode()))


def _require_known(protocol: str) -> None:
    from totalml.target import did_you_mean

    if protocol not in FILESYSTEMS:
        hint = did_you_mean(protocol, FILESYSTEMS) or f"; known are {', '.join(FILESYSTEMS)}"
        raise ValueError(f"no filesystem is known for {protocol}://{hint}")
