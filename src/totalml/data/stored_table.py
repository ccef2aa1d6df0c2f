"""A Parquet file of the store that is no part of a snapshot: what was predicted, labels that came later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from totalml.errors import StoreError

if TYPE_CHECKING:
    from totalml.store import Store


@contextmanager
def stored_table(store: Store, *parts: str) -> Iterator[pq.ParquetFile]:
    """To be read within, so many columns as are wanted.

    Args: parts: of its name, as of `Store.open_file`.
    Raises: FileGoneError: it is not there. StoreError: it is damaged, or cannot be read.
    """
    with store.open_file(*parts) as file:
        try:
            yield pq.ParquetFile(file, page_checksum_verification=True)
        except FileNotFoundError:  # of a file that lies elsewhere: the store says that it is gone
            raise
        except (pa.ArrowException, OSError) as error:
            raise StoreError(
                f"{'/'.join(parts)} is damaged ({error}); restore it from a backup, or remove it"
            ) from error
