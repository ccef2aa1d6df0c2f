"""Hashes that name things: canonical JSON, typed digests, the run id.

A digest is `blake3:` plus 64 hex digits. Each is made in a domain of its own (BLAKE3's key derivation), so that two
things of different type never share one, and a change of format gets a new domain instead of a silent collision.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFIX = "blake3:"
DIGEST = re.compile(rf"{PREFIX}([0-9a-f]{{64}})")
LARGEST_INT = 2**53 - 1  # that JSON may hold
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
DRAWN_DIGITS = 13  # hex digits, which are 52 bits: as many as a float holds whatever they are


def digest(domain: str, payload: bytes | memoryview) -> str:
    """The digest of `payload` in `domain`, e.g. `recipe v1`."""
    return digest_of_pieces(domain, (payload,))


def digests(domain: str, payloads: Iterable[bytes]) -> list[str]:
    """As `digest` of each."""
    from blake3 import blake3

    begun, found = blake3(derive_key_context=f"totalml {domain}"), []
    for payload in payloads:
        hasher = begun.copy()
        hasher.update(payload)
        found.append(PREFIX + hasher.hexdigest())
    return found


def digest_of_pieces(domain: str, pieces: Iterable[bytes | memoryview]) -> str:
    """As of the pieces put together, which are never held at once."""
    from blake3 import blake3

    hasher = blake3(derive_key_context=f"totalml {domain}")
    for piece in pieces:
        hasher.update(piece)
    return PREFIX + hasher.hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785 JSON of plain values: sorted keys, one spelling for each number."""
    import rfc8785

    return rfc8785.dumps(value)


def canonical_row(row: Mapping[str, Any]) -> bytes:
    """As `canonical`, of a row of numbers and words in an eighth of the time; any other value takes as long."""
    cells = {}
    for name in sorted(row):
        value = row[name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        kind = type(value)
        # Of other numbers and names, JSON of Python has another spelling or order.
        usual = kind in (str, bool, NoneType) or (kind is int and abs(value) <= LARGEST_INT)
        if not name.isascii() or not (usual or (kind is float and 1e-4 <= abs(value) < 1e16)):
            return canonical(row)
        cells[name] = value
    try:
        return _COMPACT.encode(cells).encode()
    except UnicodeEncodeError:
        return canonical(row)


def config_hash(what: Mapping[str, Any]) -> str:
    """The digest of a validated recipe without its `runtime` and its data pin."""
    return digest("recipe v1", canonical(what))


def run_id(config: str, data: str) -> str:
    """`<config hash, 8 hex>-<data hash, 8 hex>`."""
    return f"{short(config)}-{short(data)}"


def short(full: str, length: int = 8) -> str:
    return full.removeprefix(PREFIX)[:length]


def drawn(domain: str, payload: bytes) -> float:
    """In [0, 1), by chance as far as anybody can tell, and of the same payload always the same."""
    return int(short(digest(domain, payload), DRAWN_DIGITS), 16) / 16**DRAWN_DIGITS


def drawn_often(domain: str, payloads: Sequence[bytes], times: int) -> NDArray[np.float64]:
    """(N, times) numbers such as of `drawn`, of many payloads, each so often; all independent."""
    import numpy as np
    from blake3 import blake3

    key, size = blake3(domain.encode(), derive_key_context="totalml drawn often v1").digest(), 8 * times
    told = b"".join(blake3(each, key=key).digest(length=size) for each in payloads)
    return (np.frombuffer(told, "<u8").reshape(-1, times) >> np.uint64(64 - 4 * DRAWN_DIGITS)) / 16.0**DRAWN_DIGITS


def file_digest(path: Path) -> str:
    """The plain BLAKE3 hash of a file, as of a blob; memory-mapped.

    Raises: OSError: it cannot be read.
    """
    from blake3 import blake3

    return PREFIX + blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()


def digest_if_there(path: Path) -> str | None:
    """As `file_digest`; None where there is no file that can be read."""
    try:
        return file_digest(path)
    except OSError:
        return None


def tree_digest(domain: str, files: Mapping[str, bytes]) -> str:
    """The digest that a folder with these files has; names are relative, with slashes."""
    return digest(domain, canonical({name: hashlib.sha256(content).hexdigest() for name, content in files.items()}))
