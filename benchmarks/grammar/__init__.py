"""The grammar of the command line: every command, its options and examples; what a command does is in benchmarks/commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from benchmarks.grammar.command import Commands, Run, Wide
from benchmarks.grammar.datasets import add_looking, add_making
from benchmarks.grammar.hil import add_rehearsing
from benchmarks.grammar.perception import add_judging, add_learning

# A data set's folder of such a name is meant by ./replay, an engine by ./keys.
TWO_WORDS = ("hil proxy", "hil replay", "hil check", "hil rules", "agent keys")
THREE_WORDS = ("hil sweep rate", "hil sweep engines")


def make_parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """Returns the parser of the whole grammar, whose commands run the functions of their names; no I/O."""
    parser = argparse.ArgumentParser(
        prog="rehearse",
        description="Rehearse a robot's perception before the hardware has to do it for real.",
        epilog="Every command explains itself: rehearse generate --help. Start with: rehearse doctor; rehearse demo.",
        formatter_class=Wide,
    )
    commands = Commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True), runs)
    for add in (add_looking, add_making, add_learning, add_judging, add_rehearsing):
        add(commands)
    return parser


def two_words(words: Sequence[str]) -> list[str]:
    """Joins the words of a command such as `hil rules` or `hil sweep rate` into the one that the parser knows."""
    for count, known in ((3, THREE_WORDS), (2, TWO_WORDS)):
        joined = " ".join(words[:count])
        if joined in known:
            return [joined, *words[count:]]
    return list(words)
