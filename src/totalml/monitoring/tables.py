"""The tables that a person holds against each other: a file, a folder of Parquet, or the reference of a release."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.errors import DataError
from totalml.monitoring.observations import EMBEDDING, OF_LOG, STRANGENESS, TIMES
from totalml.monitoring.seen import ERROR, INPUT, REPLICA, SEGMENT
from totalml.release.log_rows import ATTRIBUTION
from totalml.release.named import find_release, is_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.parquet as pq

    from totalml.release.bundle import Bundle
    from totalml.store import Store

ENDINGS = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz")


def looked_at(names: Sequence[str], unit: str | None, other: Sequence[str] | None = None) -> list[str]:
    """Columns of a log, or of what was predicted, that a check asks for; of any other table all.

    Args:
        unit: column of which equal values come together.
        other: columns of the table that it is held against; None: nobody knows yet.
    """
    if not any(name.startswith(OF_LOG) for name in names):
        return [*names]
    asked = {EMBEDDING, STRANGENESS, ERROR, REPLICA, SEGMENT, *TIMES, unit}
    if other is None or INPUT in other:  # equal rows are told by it where both sides have it
        asked.add(INPUT)
    return [name for name in names if name in asked or name.startswith((*OF_LOG, ATTRIBUTION))]


def read_side(
    text: str, what: str, open_store: Callable[[], Store], choose: Callable[[Sequence[str]], list[str]]
) -> pa.Table:
    """Args:
        text: a path; or MODEL@ALIAS or MODEL@HASH, whose reference it is.
        what: it is called in a message.
        choose: of the columns that are there those to be read, in their order.
    Raises: DataError: there is no such table. RecipeError, StoreError: no such release.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        return _folder(path, what, choose)
    if path.is_file():
        if not path.name.lower().endswith(ENDINGS):
            raise DataError(f"{what} {text!r} is no table; give a file that ends in {', '.join(ENDINGS)}")
        return _parquet(path, what, choose) if path.name.lower().endswith(".parquet") else _text(path)
    if not is_reference(text):
        raise DataError(f"{what} {text!r} does not exist; give a table, a folder of Parquet files, or MODEL@ALIAS")
    return _as_logged(find_release(text, open_store()))


def release_of(text: str, open_store: Callable[[], Store]) -> Bundle | None:
    """Whose reference `read_side` gives; None: it is a table."""
    return None if Path(text).expanduser().exists() else find_release(text, open_store())


def reference_of(bundle: Bundle) -> pa.Table:
    """Raises: StoreError: it is gone or changed. DataError: the release has none."""
    import pyarrow.parquet as pq

    from totalml.release.bundle import REFERENCE

    if REFERENCE not in bundle:
        raise DataError(f"release {bundle.hash} holds no reference to compare with; release the run again")
    return pq.read_table(bundle.file(REFERENCE))


def _as_logged(bundle: Bundle) -> pa.Table:
    """Its reference, without what the run knew of its samples and nobody sends with a request."""
    from totalml.monitoring.traffic import compared
    from totalml.release.signature import Signature

    reference, signature = reference_of(bundle), Signature.read(bundle)
    return reference.select(compared(reference.column_names, (*signature.columns, *signature.context)))


def _folder(folder: Path, what: str, choose: Callable[[Sequence[str]], list[str]]) -> pa.Table:
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise DataError(f"{what} {str(folder)!r} holds no Parquet files; predict pictures first, with totalml predict")
    try:
        return pa.concat_tables([_parquet(file, what, choose) for file in files], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"the files in {what} {str(folder)!r} do not fit together: {error}") from error


def _parquet(path: Path, what: str, choose: Callable[[Sequence[str]], list[str]]) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            counts = Counter(file.schema_arrow.names)
            if several := [name for name, count in counts.items() if count > 1]:
                raise DataError(
                    f"{what} {str(path)!r} has several columns named {several}; rename or remove all but one"
                )
            return _chosen(file, choose([*counts]))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{what} {str(path)!r} cannot be read: {error}") from error


def _chosen(file: pq.ParquetFile, names: list[str]) -> pa.Table:
    """The embedding first and in one piece, so that it is never held twice beside the other columns."""
    columns = {}
    if EMBEDDING in names:
        columns[EMBEDDING] = _by_groups(file, [EMBEDDING])[EMBEDDING].combine_chunks()
    table = _by_groups(file, [name for name in names if name not in columns])
    return pa.table({name: columns[name] if name in columns else table[name] for name in names})


def _by_groups(file: pq.ParquetFile, names: list[str]) -> pa.Table:
    """All at once, pyarrow would hold what it reads beside what it made of that."""
    groups = [file.read_row_group(group, names) for group in range(file.num_row_groups)]
    return pa.concat_tables(groups) if groups else file.read(names)


def _text(path: Path) -> pa.Table:
    from totalml.data.table_file import read_table

    return read_table(path, (), None, ())
