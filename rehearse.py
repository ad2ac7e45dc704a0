"""The front door: one command line; what a command does is in benchmarks/commands, its grammar in benchmarks/grammar."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from benchmarks.commands.datasets import agree, convert, inspect, replay
from benchmarks.commands.exits import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK
from benchmarks.commands.health import doctor
from benchmarks.commands.hil import agent, agent_keys, demo, hil, hil_check, hil_proxy, hil_replay, hil_rules
from benchmarks.commands.making import generate, merge
from benchmarks.commands.perception import export, predict, score, train
from benchmarks.commands.scenes import catalogue, scene
from benchmarks.commands.sweep import hil_sweep_engines, hil_sweep_rate
from benchmarks.grammar import make_parser, two_words

COMMANDS = (
    doctor, scene, catalogue, inspect, generate, agree, replay, merge, convert,
    train, export, predict, score, agent, agent_keys, hil, hil_check, hil_proxy, hil_replay, hil_rules, hil_sweep_rate,
    hil_sweep_engines, demo,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its status, or ends the process with it where Isaac Sim runs in it."""
    return _leave(_run(argv))


def _leave(status: int) -> int:
    """Ends this process where Isaac Sim's application runs in it, whose own end would lose the status."""
    isaac = sys.modules.get("sim.isaac.app")
    if isaac is not None:
        isaac.leave(status)
    return status


def _run(argv: Sequence[str] | None) -> int:
    """Runs one command; returns 0, 1 for FAIL, 3 for INVALID, 2 for an error in one sentence, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser().parse_args(two_words(words))
    arguments.words = words
    from scenes.errors import RehearseError

    try:
        status = int(arguments.command(arguments))
        sys.stdout.flush()  # here, where a reader that went away is no error, not when Python ends
        return status
    except RehearseError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("rehearse: stopped by the user; what was finished stays.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole grammar; no I/O."""
    return make_parser({command.__name__: command for command in COMMANDS})


if __name__ == "__main__":
    sys.exit(main())
