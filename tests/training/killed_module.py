"""Kill the training of a LightningModule at many points, and let the same call go on.

`python -m tests.training.killed_module <folder> <kills>` prints a JSON line for each: where it struck, how many epochs
were left to go on from, and the digest of the weights. Each training is a fork of one process that computed nothing.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

EPOCHS = 3


def main() -> None:
    from totalml.training import own_module  # noqa: F401 - imported once, before the first fork

    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    draw = random.SystemRandom()
    print(json.dumps(go(folder / "undisturbed", None)), flush=True)
    for number in range(kills):
        # 4 steps and at most 2 checkpoints an epoch; a checkpoint has two syncs.
        strike = ("step", draw.randrange(4 * EPOCHS)) if number % 2 else ("sync", draw.randrange(4 * EPOCHS))
        place = folder / str(number)
        go(place, strike)
        print(json.dumps(go(place, None) | {"strike": strike}), flush=True)


def go(folder: Path, strike: tuple[str, int] | None) -> dict[str, object]:
    """Train in a fork; what it told, empty if it was killed."""
    told = folder / "told.json"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            told.parent.mkdir(parents=True, exist_ok=True)
            told.write_text(json.dumps(train(folder, strike)))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return json.loads(told.read_text()) if told.exists() and not os.WIFSIGNALED(status) else {}


def train(folder: Path, strike: tuple[str, int] | None) -> dict[str, object]:
    from tests.training.own import own_recipe
    from tests.training.planted import splits, squares
    from totalml.store import atomic
    from totalml.training import own_checkpoint, train_model

    left = {} if strike is None else {strike[0]: strike[1]}

    def struck(what: str) -> None:
        if what in left:
            left[what] -= 1
            if left[what] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sync, after = atomic.sync, own_checkpoint.OwnCheckpoints.on_train_batch_end

    def counted(descriptor: int) -> None:
        struck("sync")
        sync(descriptor)

    def stepped(*arguments: object) -> None:
        struck("step")
        after(*arguments)

    atomic.sync = counted
    own_checkpoint.OwnCheckpoints.on_train_batch_end = stepped
    features = squares(count=128)
    trained = train_model(own_recipe(epochs=EPOCHS), features, splits(features), folder)
    return {"weights": trained.weights_digest, "resumed_from": trained.resumed_from, "best": trained.best_epoch}


if __name__ == "__main__":
    main()
