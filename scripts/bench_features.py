"""Values as of a time, ten million rows by twenty features, beside DuckDB; and those of a request, beside SQLite.

Each join reads the same Parquet files in a process of its own, and must come to the same sums. `pip install duckdb`
where it is missing.
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from totalml.features.as_of import join_batches
from totalml.features.latest import open_latest, write_latest

TARGET_S, TARGET_GB = 60, 2
DAY_US = 86_400 * 10**6
DAYS, LATE_DAYS = 2_000, 10
NAMES = [f"f{number}" for number in range(20)]
BATCH, REPEATS = 1 << 16, 5
ASOF = "select {values} from asked a asof left join known k on a.pub = k.pub and a.moment >= k.moment"
# DuckDB's join knows one time, so what is newest at each is found before it.
BY_HAND = """
with ranked as materialized (
  select *, greatest(moment, told) as had, row_number() over (partition by pub order by moment, told) as rank from known
), newest as (
  select pub, had, max(rank) over (partition by pub order by had) as rank from ranked
)
select {values} from asked a
asof left join newest n on a.pub = n.pub and a.moment >= n.had left join ranked k on k.pub = n.pub and k.rank = n.rank
"""
JOINS = {
    "this, as of the event": ("ours", None),
    "DuckDB's ASOF join": ("duckdb", ASOF),
    "this, as of event and known": ("ours", "told"),
    "DuckDB, windows and ASOF join": ("duckdb", BY_HAND),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--join", nargs=2, metavar=("FOLDER", "NAME"), help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=10_000_000, help="that ask")
    parser.add_argument("--known", type=int, default=1_000_000, help="rows that are known")
    parser.add_argument("--entities", type=int, default=10_000)
    options = parser.parse_args()
    if options.join:
        print(json.dumps(joined(Path(options.join[0]), *JOINS[options.join[1]])))
        return
    with tempfile.TemporaryDirectory() as name:
        print_joins(Path(name), options.rows, options.known, options.entities)
        print_lookups(Path(name), options.known)
    print(f"load of the machine now {os.getloadavg()[0]:.1f}")


def print_joins(folder: Path, rows: int, known: int, entities: int) -> None:
    print(
        f"{rows:,} rows by {len(NAMES)} features out of {known:,} rows of {entities:,} entities, {os.cpu_count()} cores"
    )
    rng = np.random.default_rng(0)
    write(folder / "known.parquet", (drawn(rng, count, entities, True) for count in parts(known)))
    write(folder / "asked.parquet", (drawn(rng, count, entities, False) for count in parts(rows)))
    print(f"{'':<32}{'seconds':>9}{'CPU':>8}{'GB':>7}   of DuckDB's seconds, CPU, memory")
    found: dict[str, dict[str, float]] = {}
    for told, (program, _) in JOINS.items():
        if program == "duckdb" and find_spec("duckdb") is None:
            print(f"{told:<32} not installed")
            continue
        done = subprocess.run([sys.executable, __file__, "--join", folder, told], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found[told] = json.loads(done.stdout)
    names = list(JOINS)
    for this, peer in zip(names[::2], names[1::2], strict=True):
        for each in (this, peer):
            if each in found:
                print(row(each, found[each], found.get(peer) if each == this else None))
        if peer in found:
            assert found[this]["sum"] == found[peer]["sum"], f"{this} and {peer} came to other values"
    print(f"target: under {TARGET_S} s and {TARGET_GB} GB")


def row(told: str, cost: dict[str, float], peer: dict[str, float] | None) -> str:
    ratios = [f"{cost[name] / peer[name]:.2f}x" for name in ("wall_s", "cpu_s", "peak_gb")] if peer else []
    return f"{told:<32}{cost['wall_s']:>9.1f}{cost['cpu_s']:>8.1f}{cost['peak_gb']:>7.2f}   {', '.join(ratios)}"


def parts(rows: int) -> Iterable[int]:
    return (min(10**6, rows - done) for done in range(0, rows, 10**6))


def drawn(rng: np.random.Generator, rows: int, entities: int, known: bool) -> pa.Table:
    """Values are whole numbers, so that any order of adding comes to the same sum."""
    at = rng.integers(0, DAYS * DAY_US, rows)
    pubs = pa.array([f"pub-{number:06}" for number in range(entities)])
    columns = {"pub": pubs.take(pa.array(rng.integers(0, entities, rows))), "moment": at}
    if known:
        columns["told"] = at + rng.integers(0, LATE_DAYS * DAY_US, rows)
        columns |= {name: rng.integers(0, 1000, rows).astype(np.float64) for name in NAMES}
    return pa.table(columns)


def write(path: Path, tables: Iterable[pa.Table]) -> None:
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def joined(folder: Path, program: str, how: str | None) -> dict[str, float]:
    started, before = time.perf_counter(), time.process_time()
    batches = ours(folder, how) if program == "ours" else by_duckdb(folder, str(how))
    rows, total = 0, 0.0
    for batch in batches:
        rows += len(batch)
        total += sum(pc.sum(column).as_py() or 0 for column in batch.columns)
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - before
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    assert rows == pq.ParquetFile(folder / "asked.parquet").metadata.num_rows, "rows were lost or doubled"
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_gb": peak_gb, "sum": total}


def ours(folder: Path, known_time: str | None) -> Iterable[pa.RecordBatch]:
    asked = pq.ParquetFile(folder / "asked.parquet").iter_batches(BATCH)
    known = pq.read_table(folder / "known.parquet")
    return join_batches(asked, known, ["pub"], "moment", "moment", known_time, NAMES, None)


def by_duckdb(folder: Path, query: str) -> Iterable[pa.RecordBatch]:
    import duckdb

    connection = duckdb.connect(config={"threads": 2, "memory_limit": f"{TARGET_GB}GB"})
    for name in ("asked", "known"):
        connection.execute(f"create view {name} as from '{folder / name}.parquet'")
    return connection.sql(query.format(values=", ".join(f"k.{name}" for name in NAMES))).to_arrow_reader(BATCH)


def print_lookups(folder: Path, entities: int) -> None:
    rng = np.random.default_rng(0)
    pubs = [f"pub-{number:07}" for number in range(entities)]
    values = {name: rng.random(entities) for name in NAMES}
    table = pa.table({"pub": pubs, "moment": np.zeros(entities, np.int64), **values})
    write_latest(folder / "pubs.latest", table, ["pub"], "moment", None, NAMES, 0)
    with sqlite3.connect(folder / "pubs.sqlite") as database:
        database.execute(f"create table pubs (pub text primary key, {', '.join(NAMES)}) without rowid")
        marks = ", ".join("?" * (1 + len(NAMES)))
        database.executemany(f"insert into pubs values ({marks})", zip(pubs, *values.values(), strict=True))
    latest = open_latest(folder / "pubs.latest")
    print(f"\n{'values of a request, microseconds a key':<42}{'this':>9}{'SQLite':>9}")
    for keys in (1, 100, 10_000):
        asked = [pubs[number] for number in rng.integers(0, entities, keys)]
        question = pa.table({"pub": asked, "moment": np.zeros(keys, np.int64)})

        def by_sqlite(asked: list[str] = asked) -> list[tuple[float, ...]]:
            return [database.execute("select * from pubs where pub = ?", (pub,)).fetchone() for pub in asked]

        found = latest.lookup(question, "moment", None)
        assert found.to_pylist() == [dict(zip(NAMES, held[1:], strict=True)) for held in by_sqlite()]
        ours_us = best_us(lambda question=question: latest.lookup(question, "moment", None), keys)
        print(f"{f'{keys:,} of {entities:,} at a time':<42}{ours_us:>9.1f}{best_us(by_sqlite, keys):>9.1f}")
    database.close()


def best_us(run: Callable[[], object], keys: int) -> float:
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return 1e6 * min(seconds) / keys


if __name__ == "__main__":
    main()
