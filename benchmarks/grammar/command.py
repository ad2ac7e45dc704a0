"""A command is added by its name: its function's docstring is its help, and it has examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

Run = Callable[[argparse.Namespace], int]


class Wide(argparse.HelpFormatter):
    """Leaves room for the longest command: argparse forgets that the list of commands is indented."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 21


class Commands:
    """Adds commands to a parser by name; a function's docstring is the help of its command."""

    def __init__(self, parsers: argparse._SubParsersAction[Any], runs: Mapping[str, Run]) -> None:
        self._parsers, self._runs = parsers, runs

    def add(self, name: str, *examples: str) -> argparse.ArgumentParser:
        """Returns the parser of one command; `examples` are what may follow its name."""
        run = self._runs[name.replace(" ", "_")]
        summary = (run.__doc__ or "").strip()
        parser: argparse.ArgumentParser = self._parsers.add_parser(
            name,
            help=summary.partition(". ")[0].rstrip("."),
            description=summary,
            epilog="examples:\n" + "\n".join(f"  rehearse {name} {example}".rstrip() for example in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--json", action="store_true", help="print figures as JSON on stdout")
        parser.set_defaults(command=run)
        return parser
