"""What the tests of the monitor promise, and what they cost: tables of figures beside peers, in one run.

All sections, or those that are named; `--quick` takes few repeats, so its figures are rough. Each section is a file
`bench_monitoring_<section>.py` beside this one, with `print_tables(quick)`.
"""

import argparse
from importlib import import_module

SECTIONS = ("window", "stream", "labels", "service", "levers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are: {', '.join(SECTIONS)}")
    for section in options.sections or SECTIONS:
        import_module(f"bench_monitoring_{section}").print_tables(options.quick)


if __name__ == "__main__":
    main()
