"""The command `totalml <verb>`: everything but running a recipe, which is `run.py`.

A verb is a line in the table below and a module with `configure(parser)` and `run(arguments, place) -> exit code`,
imported when it is called. Where it needs no project, its `anywhere(arguments)` says so.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from totalml.errors import Interrupted, RecipeError, TotalmlError
from totalml.terminal import end_on_sigterm_as_on_ctrl_c, report, without_traceback

if TYPE_CHECKING:
    from totalml.project import Place

# verb -> its module, and what it does
VERBS = {
    "verify": ("totalml.verification.verify", "run again in a clean folder, and say whether the same comes out"),
    "diff": ("totalml.comparison.diff", "what differs between two runs, recipes or git revisions of a recipe"),
    "compare": ("totalml.comparison.compare_runs", "runs side by side: keys, metrics, pictures judged differently"),
    "promote": ("totalml.release.promote", "put a release of a run that passed its gates in production"),
    "rollback": ("totalml.release.rollback", "put what was in production before back there"),
    "registry list": ("totalml.release.registry_list", "the models, and what their aliases point at"),
    "registry show": ("totalml.release.registry_show", "what a release is, takes, answers and was made of"),
    "registry history": ("totalml.release.registry_history", "every event of a model, who, when and why"),
    "registry diff": ("totalml.release.registry_diff", "what differs between two releases"),
    "export": ("totalml.release.export", "a release as a folder for ONNX, for MLflow, or to make a container of"),
    "deploy": ("totalml.deployment.deploy", "apply a file of deployments/, which says which release answers"),
    "rollout": ("totalml.deployment.rollout", "how far a deployment's challenger has come, and bring it further"),
    "serve": ("totalml.serving.serve", "answer over HTTP with a release, and follow its alias"),
    "predict": ("totalml.prediction.predict", "answer for a folder, a glob or a table with a release"),
    "plan": ("totalml.prediction.plan", "what to do with the levers of a release, also with another budget"),
    "feedback": ("totalml.labels.feedback", "keep labels that come later, of requests that a release answered"),
    "log": ("totalml.prediction_log.log", "what a model predicted: look, compact, delete on request"),
    "monitor": ("totalml.monitoring.command", "what moved since the last look, why, and whether the model errs"),
    "monitor check": ("totalml.monitoring.check", "hold a table against another one, without any history"),
    "monitor calibrate": (
        "totalml.monitoring.calibrate",
        "before it goes live: false alarms a year, and how late it is",
    ),
    "monitor backtest": ("totalml.monitoring.backtest", "what a monitor would have said of a time of the log"),
    "monitor report": ("totalml.monitoring.monitor_report", "what a monitor saw and said, as one page for people"),
    "alerts list": ("totalml.alerts.alerts_list", "what monitors found wrong and nobody has resolved yet"),
    "alerts ack": ("totalml.alerts.alerts_ack", "say that you have taken an alert"),
    "alerts resolve": ("totalml.alerts.alerts_resolve", "say that an alert is over"),
    "alerts send": ("totalml.alerts.alerts_send", "deliver alerts that have not arrived yet"),
    "alerts react": ("totalml.alerts.alerts_react", "what is to follow from open alerts: propose, roll back, retrain"),
    "alerts test": ("totalml.alerts.alerts_test", "a trial through every channel, and by which it arrived"),
    "review": ("totalml.review.command", "the page on which people who know the subject judge a model"),
    "review invite": ("totalml.review.review_invite", "a link for somebody who is to judge"),
    "review revoke": ("totalml.review.review_revoke", "end somebody's link at once"),
    "team": ("totalml.team.command", "who owns a model, reviews, may promote and deploy, and is told of alerts"),
    "team codeowners": ("totalml.team.codeowners", "who owns which files on GitHub, made of team.yaml"),
    "review queue": ("totalml.review.review_queue", "put samples in the queue of those who judge them"),
    "review figures": (
        "totalml.review.review_figures",
        "how well reviewers agree and err, and how often the model is right",
    ),
    "review export": ("totalml.review.exchange.review_export", "verdicts as Parquet, or as JSON of Label Studio"),
    "review import": ("totalml.review.exchange.review_import", "verdicts that were given in another tool"),
    "review label": ("totalml.review.learnt.review_label", "keep what people said of requests as labels"),
    "review close-loop": (
        "totalml.review.learnt.review_close_loop",
        "learn from what people said, and whether it made the model better",
    ),
    "snapshot from-review": (
        "totalml.review.learnt.snapshot_from_review",
        "a snapshot of what people said, to train on",
    ),
    "track sync": ("totalml.release.track_sync", "send runs and releases to Weights & Biases that did not arrive"),
    "store gc": ("totalml.garbage.store_gc", "remove from the store what no run, pin or alias needs"),
    "recipe new": ("totalml.authoring.new", "start a recipe, with its card and its test"),
    "recipe check": ("totalml.authoring.check", "compose and validate every recipe, run those marked smoke"),
    "recipe diff": ("totalml.authoring.diff", "which recipes a change touches, also through conf/ and defaults"),
    "features list": ("totalml.catalogue.features_list", "shared features by team, how fresh, and in how much used"),
    "features show": ("totalml.catalogue.features_show", "a shared feature: definition, figures, and what uses it"),
    "features new": ("totalml.catalogue.features_new", "start a shared feature, with a comment at each key"),
    "features diff": ("totalml.catalogue.features_diff", "what differs between two definitions, and which values move"),
    "features materialize": (
        "totalml.catalogue.features_materialize",
        "compute what the store does not hold of shared features",
    ),
}
HELP = {"-h", "--help"}
EXIT_CODES = (
    "Exit codes as of run.py: 0 done; 2 mistakes; 3 gates; 4 data; 5 store; 10 a package is missing; 130 interrupted."
)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"command line: {message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for.

    Args:
        arguments: default `sys.argv[1:]`.
    Returns: the exit code; see `totalml.errors`.
    """
    if arguments is None:
        gc.disable()  # collecting while thousands of classes are imported costs a third of the start
        end_on_sigterm_as_on_ctrl_c()
    given, show_traceback = without_traceback(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(given)
    except TotalmlError as error:
        return report(error, show_traceback).exit_code
    except KeyboardInterrupt:
        return report(Interrupted("interrupted"), show_traceback).exit_code
    except BrokenPipeError:  # `totalml diff a b | head`
        sys.stderr.close()
        return 0


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in HELP:
        print(_help(VERBS))
        return 0
    verb, rest = _verb(given)
    if verb is None:
        print(_help([known for known in VERBS if known.startswith(f"{given[0]} ")]))
        return 0
    module = import_module(VERBS[verb][0])
    as_written = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog=f"totalml {verb}", description=module.__doc__, epilog=EXIT_CODES, formatter_class=as_written)
    module.configure(parser)
    parser.add_argument("--runs", metavar="FOLDER", help="where the runs lie, from the project (runs)")
    parser.add_argument("--store", metavar="FOLDER", help="where the store lies, from the project (.totalml)")
    try:
        parsed = parser.parse_args(rest)
    except SystemExit as end:  # --help
        return int(end.code or 0)
    return int(module.run(parsed, _place(module, parsed)))


def _verb(given: list[str]) -> tuple[str | None, list[str]]:
    """The verb and the arguments after it; no verb where only the first word of some was given.

    Raises: RecipeError: there is no such verb.
    """
    for words in (2, 1):
        if (verb := " ".join(given[:words])) in VERBS:
            return verb, given[words:]
    several = [verb for verb in VERBS if verb.startswith(f"{given[0]} ")]
    if several and (len(given) == 1 or given[1] in HELP):
        return None, []
    from totalml.target import did_you_mean

    meant = " ".join(given[:2]) if several else given[0]
    hint = did_you_mean(meant, several or VERBS) or f"; there are: {', '.join(several or VERBS)}"
    raise RecipeError(f"command line: there is no verb {meant!r}{hint}")


def _place(module: ModuleType, parsed: argparse.Namespace) -> Place:
    from totalml.project import find_place, place_at

    anywhere = hasattr(module, "anywhere") and module.anywhere(parsed)
    return (place_at if anywhere else find_place)(Path.cwd(), parsed.runs, parsed.store)


def _help(verbs: Sequence[str] | dict[str, tuple[str, str]]) -> str:
    width = max(map(len, verbs))
    lines = [f"  totalml {verb:<{width}}  {VERBS[verb][1]}" for verb in verbs]
    head = ["Recipes and runs of Total ML; a recipe is run by: python run.py +recipe=NAME", ""]
    tail = ["", "totalml VERB --help says more. --traceback, or TOTALML_TRACEBACK=1, shows the traceback of an error."]
    return "\n".join([*head, *lines, *tail, EXIT_CODES])


if __name__ == "__main__":
    sys.exit(main())
