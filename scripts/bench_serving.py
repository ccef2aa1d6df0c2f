"""A service of one trained model against what a team would write itself, and against LitServe, in one run.

The network of the guinness recipe at 128 px, trained for an epoch; all answer the same JPEGs of 128 px over loopback,
with one thread. CPU time is that of the service's own processes, its log included; the client is in this one. Medians
of interleaved repeats. LitServe stands in an environment of its own, which --litserve names by its Python.
"""

import argparse
import asyncio
import base64
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.store import Store

REPOSITORY = Path(__file__).parents[1]
NAME = "guinness_smoke"
SIDE, CONNECTIONS, SWAPPED_AT = 128, 32, 8
PLAIN, LITSERVE, OURS, BARE = "FastAPI and torch", "LitServe", "ours", "ours, without its log"
LOOP = "a bare loop of ours"  # decode, model, properties, Parquet
SHADOWED, SHARED = "ours, a shadow beside", "ours, a canary of 10 %"
# No gate that may stop them while they are measured.
CHALLENGED = {
    SHADOWED: "{shadow: {gates: [{metric: agreement, at_least: 0.0}]}, canary: null, ",
    SHARED: "{shadow: null, canary: {share: 0.1, margins: {failures: 1.0, slow: 1.0, errors: 1.0}}, ",
}
OF_PLAIN, OF_LITSERVE, MEGABYTES, READY_S, GAP_MS = 0.6, 0.5, 200, 2.0, 100
SETTLED_S = 1.5  # until the log has written what was answered
TICK = os.sysconf("SC_CLK_TCK")

# What the peers have in common. The network is built by the same code, and holds the same weights.
NETWORK = f"""
import sys
from io import BytesIO
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from totalml.model.small_cnn import SmallCnn

class Pints(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("deviation", torch.ones(3))
        body, width = SmallCnn().build(3)
        self.image, self.head = body.to(memory_format=torch.channels_last), nn.Linear(width, 2)

    def forward(self, pixels):
        return self.head(self.image(((pixels - self.mean) / self.deviation).permute(0, 3, 1, 2))).softmax(1)

def load_network(path):
    torch.set_num_threads(1)
    network = Pints().eval()
    network.load_state_dict({{name.removeprefix("scaler."): each for name, each in load_file(path).items()}})
    return network

def decode(data):
    picture = Image.open(BytesIO(data)).convert("RGB").resize(({SIDE}, {SIDE}), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture, np.float32))

def answer(shares):
    best = int(shares.argmax())
    return {{"predicted": ("bad", "good")[best], "confidence": float(shares[best]), "p:good": float(shares[1])}}
"""
SCRIPTS = {
    PLAIN: """
import uvicorn
from fastapi import FastAPI, Request

app, network = FastAPI(), load_network(sys.argv[1])

@app.get("/health")
async def health():
    return {"alive": True}

@app.post("/predict")
async def predict(request: Request):
    with torch.inference_mode():
        return answer(network(decode(await request.body())[None])[0])

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
""",
    LITSERVE: f"""
import base64
import litserve

class Service(litserve.LitAPI):
    def setup(self, device):
        self.network = load_network(sys.argv[1])

    def decode_request(self, request):
        return decode(base64.b64decode(request["picture"]))

    def batch(self, pictures):
        return torch.stack(pictures)

    def predict(self, pixels):
        with torch.inference_mode():
            return self.network(pixels)

    def unbatch(self, shares):
        return list(shares)

    def encode_response(self, shares):
        return answer(shares)

if __name__ == "__main__":
    api = Service(max_batch_size={CONNECTIONS}, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
""",
}

# What each answer of ours takes whatever asks for it: no HTTP, no threads, nobody that waits.
BARE_LOOP = f"""
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, {str(Path(__file__).parent)!r})
from bench_serving import PLAIN, requests_of
from totalml.data.image_properties import image_properties
from totalml.data.snapshot import parquet_bytes
from totalml.release.bundle import read_bundle
from totalml.release.log_rows import log_columns
from totalml.release.scorer import Scorer

scorer = Scorer.load(read_bundle(Path(sys.argv[1])))
pictures = [request.partition(b"\\r\\n\\r\\n")[2] for request in requests_of(PLAIN)]

def answer(batches):
    tables = []
    for _ in range(batches):
        pixels = np.concatenate([scorer.inputs(["picture"], [each])["image"] for each in pictures])
        said = scorer.score({{"image": pixels}})
        columns = log_columns(said.answers, image_properties(pixels), None, said.embeddings, said.strangeness)
        tables.append(pa.table(columns))
    parquet_bytes(pa.concat_tables(tables).combine_chunks())

answer(5)
costs = []
for _ in range(int(sys.argv[2])):
    before = time.process_time()
    answer(40)
    costs.append((time.process_time() - before) / (40 * len(pictures)))
print(1000 * statistics.median(costs))
"""


@dataclass(frozen=True)
class Service:
    """One that runs. Args: ready_s, ready_cpu_s: from its start to its first answer."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    requests: Sequence[bytes]
    ready_s: float
    ready_cpu_s: float

    def cpu_seconds(self) -> float:
        fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._pids())
        return sum(int(each[11]) + int(each[12]) for each in fields) / TICK

    def megabytes(self) -> float:
        lines = (Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split() for pid in self._pids())
        return sum(int(each[0]) for each in lines if each) / 1000

    def _pids(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found


@dataclass(frozen=True)
class Tally:
    """What clients saw. Args: gap_s: the longest between two answers, whoever got them."""

    answered: int
    failed: int
    gap_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=640, help="of a service in each repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--litserve", metavar="PYTHON", default=sys.executable, help="of the environment that has it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        # As on a machine where it ran before; else modules would be compiled each time.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"
        work = Path(name)
        store, releases = train(work)
        commands = commands_of(work, store, releases[0], options.litserve)
        starts = bench_starts(commands, options.repeats)
        commands |= {name: challenged(work, name, store, releases) for name in CHALLENGED}
        with running(commands, list(commands)) as services:
            require_same_answers(services)
            costs = bench_load(services, options.requests, options.repeats)
            waits = bench_alone(services, options.requests)
            held = {service.name: service.megabytes() for service in services}
            seen = share_shadowed(services[-2])
        costs[LOOP] = bench_loop(releases[0], options.repeats)
        with running(commands, [OURS]) as services:
            steady = asyncio.run(load(services[0], SWAPPED_AT, 0.5 * options.swaps))
            swapped = bench_swaps(services[0], store, releases, options.swaps)
    tell(costs, waits, starts, held)
    print(f"the shadow scored {seen:.0%} of the samples once more, unseen; what it has no time for is left out")
    tell_swaps(steady, swapped, options.swaps)


def train(work: Path) -> tuple["Store", list[Path]]:
    """Two releases of one recipe, trained with two seeds; the first one is in production."""
    from totalml.registry import Aliases
    from totalml.release.bundle import open_bundle
    from totalml.store import Store

    where = [f"--store={work / 'store'}", f"--runs={work / 'runs'}"]
    recipe = ["smoke=false", "data.source.count=160", f"data.source.size_px={SIDE}", f"features.image.size={SIDE}"]
    recipe += ["training.epochs=1", "evaluation.bootstrap=50", "evaluation.slices=null", "evaluation.fairness=null"]
    recipe += [f"runtime.{each.removeprefix('--')}" for each in where] + ["runtime.progress=none"]
    store, folders = Store(work / "store"), []
    for seed in (1, 0):
        call(["run.py", f"+recipe={NAME}", f"seed={seed}", "gates=[{metric: accuracy, at_least: 0.0}]", *recipe])
        call(["-m", "totalml.cli", "promote", f"{NAME}@candidate", "--force", *where])
        standing = Aliases(store, NAME).standing("production")
        assert standing is not None
        folders.insert(0, open_bundle(standing.release, store).folder)
    return store, folders


def call(words: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def commands_of(work: Path, store: "Store", release: Path, litserve: str) -> dict[str, list[str]]:
    """How each service is started; a port is added."""
    commands = {}
    for name, python in ((PLAIN, sys.executable), (LITSERVE, litserve)):
        script = work / f"{name.split()[0].lower()}_service.py"
        script.write_text(NETWORK + SCRIPTS[name])
        commands[name] = [python, str(script), str(release / "model.safetensors")]
    if subprocess.run([litserve, "-c", "import litserve, torch"], capture_output=True, check=False).returncode:
        del commands[LITSERVE]
        print("LitServe is not installed, so its rows are missing; --litserve names the Python that has it")
    serve = [sys.executable, "-m", "totalml.cli", "serve", f"{NAME}@production", f"--store={store.root}"]
    return commands | {OURS: [*serve, "--port"], BARE: [*serve, "--no-log", "--port"]}


def challenged(work: Path, name: str, store: "Store", releases: Sequence[Path]) -> list[str]:
    """How a service is started in which the second release challenges the first one."""
    file = work / f"{name.split()[2]}.yaml"
    release, challenger = (f"blake3:{each.name}" for each in releases)
    file.write_text(f"model: {NAME}\nrelease: {release}\nchallenger: {CHALLENGED[name]}release: {challenger}}}\n")
    call(["-m", "totalml.cli", "deploy", str(file), f"--store={store.root}", f"--runs={work / 'runs'}"])
    return [sys.executable, "-m", "totalml.cli", "serve", str(file), f"--store={store.root}", "--port"]


@contextmanager
def running(commands: dict[str, list[str]], names: Sequence[str]) -> Iterator[list[Service]]:
    services: list[Service] = []
    try:
        for name in names:
            services.append(start(name, commands[name]))  # noqa: PERF401  # those that run are ended, come what may
        yield services
    finally:
        for service in services:
            stop(service)


def start(name: str, command: Sequence[str]) -> Service:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = time.perf_counter()
    # In a group of its own, so that all its processes can be ended.
    process = subprocess.Popen([*command, str(port)], cwd=REPOSITORY, start_new_session=True, stdout=subprocess.DEVNULL)
    while not answers(port, "/health" if name in (PLAIN, LITSERVE) else "/readyz"):
        if process.poll() is not None or time.perf_counter() > started + 60:
            sys.exit(f"{name} does not start")
        time.sleep(0.01)
    ready = time.perf_counter() - started
    service = Service(name, process, port, requests_of(name), ready, 0.0)
    return Service(name, process, port, service.requests, ready, service.cpu_seconds())


def stop(service: Service) -> None:
    if service.name == LITSERVE:
        os.killpg(service.process.pid, signal.SIGKILL)
    else:
        service.process.terminate()
    service.process.wait()


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def requests_of(name: str) -> list[bytes]:
    """Sixteen pictures as HTTP; LitServe takes no bodies but forms and JSON."""
    import numpy as np
    from PIL import Image, ImageFilter

    random, made = np.random.default_rng(0), []
    for _ in range(16):
        noise = Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
        out = BytesIO()
        noise.filter(ImageFilter.GaussianBlur(3)).save(out, "JPEG", quality=90)
        kind, body = "image/jpeg", out.getvalue()
        if name == LITSERVE:
            kind, body = "application/json", json.dumps({"picture": base64.b64encode(body).decode()}).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """Status and body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


async def load(service: Service, connections: int, seconds: float = 0.0, count: int = 0) -> Tally:
    """Ask from so many connections, each for itself, until the time is over or so many were asked."""
    until, asked, failed, times = time.perf_counter() + seconds, 0, 0, [time.perf_counter()]

    async def one() -> None:
        nonlocal asked, failed
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        while asked < count or time.perf_counter() < until:
            asked += 1
            try:
                status, _ = await ask(reader, writer, service.requests[asked % len(service.requests)])
            except (OSError, EOFError, asyncio.IncompleteReadError):
                status = 0
                reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            failed += status != 200
            times.append(time.perf_counter())
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return Tally(asked, failed, max(after - before for before, after in pairwise(times)))


def require_same_answers(services: Sequence[Service]) -> None:
    async def told(service: Service) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        status, body = await ask(reader, writer, service.requests[0])
        writer.close()
        assert status == 200, body
        values = json.loads(body)
        return float(values.get("predictions", [values])[0]["p:good"])

    shares = {service.name: asyncio.run(told(service)) for service in services}
    assert max(shares.values()) - min(shares.values()) < 1e-3, f"they are not the same model: {shares}"


def bench_starts(commands: dict[str, list[str]], repeats: int) -> dict[str, dict[str, float]]:
    """Of fresh services: seconds and CPU seconds until they answer."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for repeat in range(repeats + 1):
        for name in commands:
            with running(commands, [name]) as (service,):
                if repeat:  # the first one compiles
                    found[name].append((service.ready_s, service.ready_cpu_s))
    medians = {name: map(statistics.median, zip(*each, strict=True)) for name, each in found.items()}
    return {name: dict(zip(("ready_s", "cpu_s"), each, strict=True)) for name, each in medians.items()}


def bench_load(services: Sequence[Service], count: int, repeats: int) -> dict[str, float]:
    """CPU milliseconds a request of each."""
    costs: dict[str, list[float]] = {service.name: [] for service in services}
    for repeat in range(repeats + 1):
        for service in services:
            before = service.cpu_seconds()
            tally = asyncio.run(load(service, CONNECTIONS, count=count))
            assert not tally.failed, f"{service.name} failed {tally.failed} requests"
            if service.name not in (PLAIN, LITSERVE, BARE):
                time.sleep(SETTLED_S)
            if repeat:
                costs[service.name].append(1000 * (service.cpu_seconds() - before) / tally.answered)
    return {name: statistics.median(each) for name, each in costs.items()}


def bench_loop(release: Path, repeats: int) -> float:
    """CPU milliseconds a picture of `BARE_LOOP`."""
    command = [sys.executable, "-c", BARE_LOOP, str(release), str(repeats)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, env=alone).stdout)


def bench_alone(services: Sequence[Service], count: int) -> dict[str, float]:
    """Milliseconds that one client waits; the services are asked in turns."""

    async def in_turns() -> dict[str, list[float]]:
        waits: dict[str, list[float]] = {service.name: [] for service in services}
        places = [await asyncio.open_connection("127.0.0.1", service.port) for service in services]
        for number in range(count):
            for service, place in zip(services, places, strict=True):
                started = time.perf_counter()
                await ask(*place, service.requests[number % len(service.requests)])
                waits[service.name].append(time.perf_counter() - started)
        for _, writer in places:
            writer.close()
        return waits

    return {name: 1000 * statistics.median(each) for name, each in asyncio.run(in_turns()).items()}


def bench_swaps(service: Service, store: "Store", releases: Sequence[Path], count: int) -> Tally:
    """Promote one release after the other while clients ask."""
    from dataclasses import replace

    from totalml.registry import Aliases

    def swap() -> None:
        aliases = Aliases(store, NAME)
        for number in range(count):
            wanted = f"blake3:{releases[(number + 1) % 2].name}"
            aliases.move(lambda all_, wanted=wanted: replace(all_[-1], alias="production", release=wanted))
            while wanted not in ready(service):
                time.sleep(0.02)

    promoting = threading.Thread(target=swap)

    async def during() -> Tally:
        promoting.start()
        tallies = []
        while promoting.is_alive():
            tallies.append(await load(service, SWAPPED_AT, 2.0))
        return Tally(sum(t.answered for t in tallies), sum(t.failed for t in tallies), max(t.gap_s for t in tallies))

    return asyncio.run(during())


def share_shadowed(service: Service) -> float:
    found = dict.fromkeys(("shadow_samples_total", "shadow_samples_left_out_total"), 0.0)
    for line in said(service, "/metrics").splitlines():
        name, _, value = line.rpartition(" ")
        if (name := name.partition("{")[0].removeprefix("totalml_")) in found:
            found[name] += float(value)
    return found["shadow_samples_total"] / sum(found.values())


def ready(service: Service) -> str:
    return said(service, "/readyz")


def said(service: Service, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def tell(
    costs: dict[str, float], waits: dict[str, float], starts: dict[str, dict[str, float]], held: dict[str, float]
) -> None:
    columns = ("CPU ms", "of plain", "p50 ms", "of plain", "RSS MB", "ready s", "its CPU s")
    print(f"{f'serving, JPEGs of {SIDE} px':<26}" + "".join(f"{column:>10}" for column in columns))
    for name, cost in costs.items():
        told = f"{cost:>10.2f}{cost / costs[PLAIN]:>9.2f}x"
        if name in waits:
            told += f"{waits[name]:>10.2f}{waits[name] / waits[PLAIN]:>9.2f}x{held[name]:>10.0f}"
        if cold := starts.get(name):
            told += f"{cold['ready_s']:>10.2f}{cold['cpu_s']:>10.2f}"
        print(f"{name:<26}{told}")
    print(f"CPU is of a request at {CONNECTIONS} connections, p50 what one client waits, RSS after all of them")
    print(f"target of ours: CPU at most {OF_PLAIN}x, p50 no worse, under {MEGABYTES} MB, ready in under {READY_S:g} s")
    if LITSERVE in costs:
        told = ", ".join(f"{name} {costs[name] / costs[LITSERVE]:.2f}x" for name in (OURS, BARE, LOOP))
        print(f"of LitServe's CPU: {told}; target of ours: at most {OF_LITSERVE}x")


def tell_swaps(steady: Tally, swapped: Tally, swaps: int) -> None:
    print(f"{f'{SWAPPED_AT} connections':<26}{'answered':>10}{'failed':>10}{'gap ms':>10}  target")
    print(f"{'no swap':<26}{steady.answered:>10}{steady.failed:>10}{1000 * steady.gap_s:>10.0f}")
    line = f"{f'{swaps} swaps':<26}{swapped.answered:>10}{swapped.failed:>10}{1000 * swapped.gap_s:>10.0f}"
    print(f"{line}  0 failed, longest gap under {GAP_MS} ms")


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))  # for the recipe's own code
    main()
