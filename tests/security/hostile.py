"""Recipes that try to run something, read the environment or fill the memory; each must be refused at a file and line.

`TOUCH` is a shell command that leaves a canary file in the current folder.
"""

from dataclasses import dataclass, field
from textwrap import indent

TOUCH = "touch canary"
RUN = "torch.utils.collect_env.run"
HEAD = """\
defaults:
  - override /data: image_folder
name: evil
data: {source: {root: photos}}
"""


@dataclass(frozen=True)
class Hostile:
    """Args:
    name: what it tries.
    text: of recipes/evil.yaml.
    lines: how many lines of mistakes it deserves at least.
    files: of the project, relative, besides.
    """

    name: str
    text: str
    lines: int = 1
    files: dict[str, str] = field(default_factory=dict)


def body(name: str, text: str, lines: int = 1) -> Hostile:
    """A recipe that would be valid without `text`."""
    return Hostile(name, f"{HEAD}{text}\n", lines)


TARGETS = (
    RUN,
    "torch.load",
    "torch.hub.load",
    "torch.utils.cpp_extension.load",
    "torch.optim.optimizer.register_optimizer_step_post_hook",
    "torchvision.datasets.utils.download_url",
    "hydra.utils.instantiate",
    "os.system",
    "subprocess.Popen",
    "pathlib.Path.touch",
    "totalml.target.importlib.import_module",
    "totalml.cli.main",
)
SOCKETS = """\
model:
  image: {{_target_: {0}, command: touch canary, f: canary}}
  table: {{_target_: {0}, command: touch canary, f: canary}}
quality:
  checks:
    - {{_target_: {0}, command: touch canary, f: canary}}
features: {{table: {{numeric: [x]}}}}
training:
  optimizer: {{_target_: {0}, command: touch canary, f: canary}}
  scheduler: {{_target_: {0}, command: touch canary, f: canary}}
  augment:
    - {{_target_: {0}, command: touch canary, f: canary}}"""

EACH_TARGET_IN_EACH_SOCKET = [body(f"{target} in each socket", SOCKETS.format(target), 6) for target in TARGETS]


def optimizer(name: str, text: str) -> Hostile:
    return body(name, "training:\n  optimizer:\n" + indent(text, "    "))


NESTED = [
    optimizer("an optimizer within one", "betas: {_target_: torch.optim.SGD, lr: 1}"),
    optimizer("a call in a list", f"betas: [{{_target_: os.system, command: {TOUCH}}}, 0.9]"),
    optimizer("a call as a number", f"lr: {{_target_: os.system, command: {TOUCH}}}"),
    optimizer("deep below an argument", f"betas: {{a: [{{b: {{_target_: os.system, command: {TOUCH}}}}}]}}"),
    body("an argument of ours", f"model: {{image: {{_target_: totalml.model.SmallCnn, width: {{_target_: {RUN}}}}}}}"),
    body("a text", f"question: {{_target_: os.system, command: {TOUCH}}}"),
    body("a section", f"runtime: {{_target_: os.system, command: {TOUCH}}}"),
    body("the section of data", f"data: {{_target_: {RUN}, command: {TOUCH}}}"),
    body("the recipe itself", f"_target_: {RUN}\ncommand: {TOUCH}"),
    body("a gate", f"gates:\n  - {{_target_: {RUN}, command: {TOUCH}}}"),
    body("a condition of a suite", "evaluation: {deepchecks: {tabular: {conditions: [{_target_: os.system}]}}}"),
    body("the project of tracking", f"tracking: {{project: {{_target_: os.system, command: {TOUCH}}}}}"),
    *(
        optimizer(f"Hydra's {key}", f"_target_: torch.optim.SGD\nlr: 1\n{key}")
        for key in ("_partial_: true", "_args_: [1]", "_recursive_: true", "_convert_: all", "params: []")
    ),
    body("Hydra's _args_ for ours", "training: {augment: [{_target_: totalml.training.Flip, _args_: [1]}]}"),
    body("Hydra's _partial_ for ours", "model: {image: {_partial_: true}}"),
]

SPELLINGS = [
    optimizer(f"a _target_ spelt {spelling}", f"_target_: {spelling}")
    for spelling in (
        "[os.system]",
        "{os: system}",
        "7",
        "''",
        "'torch.optim.'",
        "'torch.optim.SGD '",
        '"torch.optim.SGD\\n"',
        "torch..optim.SGD",
        "torch/optim/SGD",
        "'torch.optim.SGD:os.system'",
        '"t\\u043erch.optim.SGD"',  # a Cyrillic o
        '"\\uff4fs.system"',  # a full-width o, which Python reads as one
        "torch.optim.__builtins__",
        "torch.optim.sgd.Optimizer",
        "torch.optim.lr_scheduler.Tensor",
        "torch.distributed.optim.ZeroRedundancyOptimizer",
        "torch.optim.swa_utils.AveragedModel",
        "recipes.nowhere.Thing",
        "totalml.kinds.Component",
    )
]

INTERPOLATIONS = [
    optimizer("a _target_ from the environment", "_target_: ${oc.env:EVIL}"),
    body("a _target_ from a text", "question: os.system\ntraining: {optimizer: {_target_: '${question}'}}"),
    body("the environment in a text", "question: key ${oc.env:HOME}"),
    body("the environment with a default", "evaluation: {positive: '${oc.env:EVIL,x}'}"),
    body("the clock", "seed: ${now:%H}"),
    body("Hydra's settings", "question: ${hydra:runtime.cwd}"),
    body("Hydra's settings by key", "question: ${hydra.runtime.cwd}"),
    body("a component made by a resolver", "model: {image: '${oc.create:{_target_:os.system}}'}"),
    body("a resolver that decodes", "training: {optimizer: \"${oc.decode:'{_target_: os.system}'}\"}"),
    body("a resolver of its own", "seed: ${evil:1}"),
    body("the clock in runtime", "runtime: {store: '${now:%H}'}"),
    body("an interpolation within another", "question: env\nevaluation: {positive: '${oc.${question}:HOME}'}"),
    body("an interpolation as a key", "training: {'${oc.env:HOME}': 1}"),
    body("a resolver as a key", "training: {optimizer: {'${oc.env:HOME}': 1}}"),
    body("a circle", "seed: ${training.epochs}\ntraining: {epochs: '${seed}'}"),
    body("a section that holds itself", "model: {image: '${model}'}"),
    body("a dotted key without a value", "'seed.x': ${nowhere}"),
    body("blanks without end", f"question: '${{{' ' * 50_000}'"),
    body("texts that grow", "\n".join(f"a{n}: '{f'${{a{n + 1}}}' * 9}'" for n in range(12)) + "\na12: x"),
]

LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]" for n in range(9))
YAML = [
    body("a tag that calls", f"question: !!python/object/apply:os.system ['{TOUCH}']"),
    body("a tag that names", "question: !!python/name:os.system"),
    body("a tag that makes an object", f"question: !!python/object/new:subprocess.Popen [[{TOUCH}]]"),
    body("a tag of bytes", "question: !!binary aGk="),
    body("a tag of its own", "question: !evil x"),
    body("an anchor", "training: &t {epochs: 3}"),
    body("an alias", "seed: &s 3\ntraining: {epochs: *s}"),
    body("a merge key", "training:\n  <<: {epochs: 3}"),
    body("a billion laughs", LAUGHS),
    body("an alias of itself", "training: &t {x: *t}"),
    body("nested without end", f"question: {'[' * 20_000}{']' * 20_000}"),
    body("very long", f"question: {'x' * 1_100_000}"),
    body("two documents", "---\nseed: 1"),
    body("a key twice", "seed: 1\nseed: 2"),
    body("a key that is a list", "? [a, b]\n: 1"),
    body("a number as an argument", "training: {optimizer: {1: 2}}"),
    body("a number as a key of ours", "model: {image: {1: 2}}"),
]

CALLBACK = f"{{_target_: {RUN}, command: {TOUCH}}}"
HYDRA = [
    body("hydra's section", f"hydra: {{callbacks: {{evil: {CALLBACK}}}}}"),
    body("hydra's section, empty", "hydra: null"),
    *(
        body(f"the key {key!r}", f"{key!r}: {CALLBACK}")
        for key in (
            "hydra.callbacks.evil",
            "+hydra.callbacks.evil",
            "hydra/launcher",
            "override hydra/launcher",
            "/hydra/launcher",
            "model@hydra.callbacks.evil",
            "HYDRA",
            "h\u0443dra",  # a Cyrillic u
            "_global_",
        )
    ),
    Hostile("a package in the header", f"# @package hydra.callbacks\n{HEAD}evil: {CALLBACK}\n"),
    *(
        Hostile(
            f"defaults: {entry}",
            HEAD.replace("name:", f"  - {entry}\nname:"),
            files={"recipes/other.yaml": CALLBACK, "photos/evil.yaml": f"# @package hydra.callbacks.evil\n{CALLBACK}"},
        )
        for entry in (
            "override /hydra/launcher: joblib",
            "override hydra/launcher: joblib",
            "/hydra/callbacks: evil",
            "/hydra/launcher/joblib",
            "optional /hydra/launcher: joblib",
            "override /hydra/job_logging: default",
            "other@hydra.callbacks.evil",
            "'/model@hydra.callbacks.evil': mlp",
            "'override /model@_global_': mlp",
            "/model: ../hydra/launcher/joblib",
            "override /model: ../../photos/evil",
            "../photos/evil",
            "override /model: ${oc.env:EVIL}",
            "'${oc.env:EVIL}'",
            "{override /model: mlp, override /hydra/launcher: joblib}",
            "override /hydra: x",
            "[other]",
            "7",
        )
    ),
    Hostile("defaults that are a section", "defaults: {override /hydra/launcher: joblib}\nname: evil\n"),
]

WITH_EVIL_MODEL = HEAD.replace("name:", "  - override /model: evil\nname:")
CONF = [
    Hostile(f"a file of conf/ {name}", WITH_EVIL_MODEL, files={"conf/model/evil.yaml": text})
    for name, text in (
        ("in hydra's package", f"# @package hydra.callbacks.evil\n{CALLBACK}"),
        ("in the whole config", f"# @package _global_\nhydra: {{callbacks: {{evil: {CALLBACK}}}}}"),
        ("in another group", "# @package training\noptimizer: {_target_: os.system}"),
        ("whose defaults reach hydra", "defaults:\n  - override /hydra/launcher: joblib\nimage: null"),
        ("whose defaults move a group", "defaults:\n  - /model@hydra.callbacks.evil: mlp\nimage: null"),
        ("with a tag", f"image: !!python/object/apply:os.system ['{TOUCH}']"),
        ("with a call", f"image: {CALLBACK}"),
    )
]

EVIL_BASE = f"{HEAD.replace('evil', 'base')}training: {{optimizer: {CALLBACK}}}\n"
INHERITED = [
    Hostile("a parent's call", "defaults: [base, _self_]\nname: evil\n", files={"recipes/base.yaml": EVIL_BASE}),
    Hostile(
        "a grandparent's call",
        "defaults: [middle, _self_]\nname: evil\n",
        files={"recipes/base.yaml": EVIL_BASE, "recipes/middle.yaml": "defaults: [base, _self_]\nname: middle\n"},
    ),
    Hostile(
        "a parent's sweep",
        "defaults: [base, _self_]\nname: evil\n",
        files={
            "recipes/base.yaml": f"{HEAD}sweep: {{sampler: grid, parameters: {{'+hydra.callbacks.x': '{CALLBACK}'}}}}\n"
        },
    ),
    Hostile(
        "a parent's hydra",
        "defaults: [base, _self_]\nname: evil\n",
        files={"recipes/base.yaml": f"{HEAD}hydra: {{callbacks: {{evil: {CALLBACK}}}}}\n"},
    ),
    Hostile("itself", "defaults: [evil]\nname: evil\n"),
]


def sweep(name: str, key: str, value: str, sampler: str = "grid") -> Hostile:
    text = f"sweep:\n  sampler: {sampler}\n  parameters:\n    seed: 1,2\n    {key}: {value}"
    return body(f"a sweep: {name}", text)


SWEEPS = [
    *(
        sweep(f"the key {key}", key, f'"{CALLBACK}"')
        for key in (
            "+hydra.callbacks.evil",
            "++hydra.callbacks.evil",
            "hydra.callbacks.evil",
            "'~training'",
            "hydra/callbacks",
            "/hydra/callbacks",
            "hydra",
            "model@hydra.callbacks.evil",
            "':hydra.callbacks.evil'",
            "'seed=1 +hydra.callbacks.evil'",
            '"seed\\n+hydra.callbacks.evil"',
            '"h\\u0443dra.callbacks.evil"',
            "recipe",
            "sweep.sampler",
            "_target_",
            "''",
            ".seed",
            "-m",
            "--config-dir",
        )
    ),
    *(
        sweep(f"{key} {value}", key, f'"{value}"')
        for key, value in (
            ("training.optimizer", CALLBACK),
            ("training.optimizer", f"{{_target_: torch.optim.SGD, lr: 1}},{CALLBACK}"),
            ("training.optimizer", f"choice({CALLBACK})"),
            ("training.optimizer._target_", "torch.optim.SGD,torch.load"),
            ("training.augment", f"[],[{{_target_: totalml.training.Flip}},{CALLBACK}]"),
            ("training.optimizer.lr", "1,${oc.env:HOME}"),
            ("training.optimizer.lr", "${now:%H}"),
            ("question", CALLBACK),
            ("model", "mlp,../hydra/launcher/joblib"),
            ("model", "../../photos/evil"),
            ("training.epochs", "1 +hydra.callbacks.evil=1"),
            ("training.epochs", "1\\n+hydra.callbacks.evil=1"),
            ("training.epochs", "range(1,100000000000)"),
            ("training.epochs", "range(1,2,0)"),
            ("training.epochs", "interval(-3,-1)"),
            ("training.epochs", "1,many"),
        )
    ),
    sweep("a sampler that is more", "training.epochs", "1", sampler="'grid hydra/launcher=joblib'"),
    body("a sweep: parameters as a list", "sweep: {parameters: ['+hydra.callbacks.evil=1']}"),
    body("a sweep: a value as a section", f"sweep: {{parameters: {{seed: {CALLBACK}}}}}"),
    body("a sweep: a metric that is more", "sweep: {metric: 'x hydra/launcher=joblib', parameters: {seed: '1,2'}}"),
    body("a sweep: trials that are more", "sweep: {trials: '3 hydra/launcher=joblib', parameters: {seed: '1,2'}}"),
    body("a sweep: brackets without end", f"sweep: {{parameters: {{seed: '{'[' * 900}'}}}}"),
]

HIDDEN = [
    body("behind a value left open", "question: ???\n" + SOCKETS.format("os.system"), 6),
    *(
        body(f"as the key {key} left open", f"{key!r}: ???")
        for key in ("hydra.callbacks.evil", "+hydra.callbacks.evil")
    ),
    body("behind a number left open", "seed: ???\n" + SOCKETS.format("os.system"), 6),
    optimizer(
        "as the stand-in of a value left open",
        "_target_: given_on_the_command_line.evil\nlr: ???",
    ),
    body(
        "a text like that of a value left open",
        "training:\n  epochs: \"'hydra.callbacks.evil' has no value yet (???)\"",
    ),
    body(
        "a sweep beside a number left open", f"seed: ???\nsweep: {{parameters: {{training.optimizer: '{CALLBACK}'}}}}"
    ),
]

PLACES = [
    body(f"the store at {url}", f"runtime:\n  store: '{url}'")
    for url in ("reference://x", "simplecache::s3://bucket/x", "github://a:b@c/x", "jupyter://x/y", "s3://key:word@b/x")
]

# Hydra's own settings create objects where several runs are asked for at once.
AIMED_AT_HYDRA = [*HYDRA, *CONF, *INHERITED]
TABLE = [
    *EACH_TARGET_IN_EACH_SOCKET, *NESTED, *SPELLINGS, *INTERPOLATIONS, *YAML, *AIMED_AT_HYDRA, *SWEEPS, *HIDDEN,
    *PLACES,
]  # fmt: skip
