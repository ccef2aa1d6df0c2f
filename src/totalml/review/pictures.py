"""Pictures of items as people see them: decoded under limits, made anew, never the bytes that somebody sent.

They are kept in memory alone: what is deleted on request is then nowhere else.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from io import BytesIO
from typing import TYPE_CHECKING

from totalml.errors import StoreError
from totalml.identity import DIGEST
from totalml.prediction_log.sampled_pictures import PICTURES

if TYPE_CHECKING:
    from totalml.store import Store

LONGEST = 1024  # px of a side
QUALITY = 88
MOST_BYTES = 2**26  # of a picture as it was sent
HELD = 256  # pictures, of about 100 kB
# A picture of 100 megapixels takes half a gigabyte while it is decoded: not one for each of 50 people at once.
DECODING = threading.BoundedSemaphore(2)
MEDIA_TYPE = "image/jpeg"
_NAME = re.compile(rf"{PICTURES}/([a-z][a-z0-9_]*)/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/([0-9a-f]{{64}})")


class Pictures:
    """Of a store, for many threads at once.

    Args: max_megapixels: of a picture before it is decoded; more are refused.
    """

    def __init__(self, store: Store, max_megapixels: float, held: int = HELD) -> None:
        self._store, self._max_megapixels, self._most = store, max_megapixels, held
        self._held: OrderedDict[bytes, bytes] = OrderedDict()  # hash of what was sent -> what is shown
        self._lock = threading.Lock()

    def shown(self, name: str) -> bytes:
        """As `picture_of`; of one that was shown lately nothing is decoded."""
        from blake3 import blake3

        data = raw_picture(name, self._store)
        key = blake3(data).digest()
        with self._lock:
            if found := self._held.get(key):
                self._held.move_to_end(key)
                return found
        made = _made(data, self._max_megapixels)
        with self._lock:
            self._held[key] = made
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return made


def picture_of(name: str, store: Store, max_megapixels: float) -> bytes:
    """A JPEG of at most `LONGEST` px a side, upright, without what else the file told of its maker.

    Args: name: the digest of a blob, or pictures/<model>/<day>/<hash>.
    Raises: StoreError: there is no such picture, or no longer. UnreadableImage: it cannot be shown; says why.
    """
    return _made(raw_picture(name, store), max_megapixels)


def raw_picture(name: str, store: Store) -> bytes:
    """As it was sent. Raises: StoreError: there is no such picture, or no longer."""
    if DIGEST.fullmatch(name):
        return store.read(name)
    if not (parts := _NAME.fullmatch(name)):
        raise StoreError(f"{name[:200]!r} names no picture; one is a digest, or {PICTURES}/<model>/<day>/<hash>")
    with store.open_file(PICTURES, *parts.groups()) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise StoreError(f"{name} has more than {MOST_BYTES:,} bytes, and is not shown")
    return data


def _made(data: bytes, max_megapixels: float) -> bytes:
    from PIL import Image

    from totalml.data.image import decode

    with DECODING:
        picture = decode(data, max_megapixels, at_least=LONGEST)
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
