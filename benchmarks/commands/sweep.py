"""Sweeps: the highest rate that holds a claim, and engines side by side."""

from __future__ import annotations

import argparse

from benchmarks.commands.exits import EXITS_OF_VERDICTS
from benchmarks.console import print_json, print_table, say


def hil_sweep_rate(arguments: argparse.Namespace) -> int:
    """Finds the highest rate that holds the claim; goes on where it was stopped. Exits with 1 where none does, 3 for INVALID."""
    from benchmarks.rate_sweep import parse_grid, sweep_rates
    from benchmarks.sweep_runs import EngineSpec
    from scenes.errors import RehearseError

    if arguments.engine is None and arguments.emulate:
        raise RehearseError("--emulate holds back the answers of an engine here; give one with --engine.")
    spec = EngineSpec(device=arguments.device)
    if arguments.engine is not None:
        spec = EngineSpec.parse(arguments.engine, emulate=arguments.emulate)
    sweep = sweep_rates(
        arguments.dataset, spec, grid=parse_grid(arguments.rates), words=_words(arguments), out=arguments.out, say=say,
        every_rate=arguments.every_rate,
    )  # fmt: skip
    if arguments.json:
        print_json(sweep.to_dict())
    else:
        print_table(sweep.rows())
        print(f"\n{sweep.sentence()}\nReport: {sweep.folder / 'sweep.html'}")
    return EXITS_OF_VERDICTS[sweep.status]


def hil_sweep_engines(arguments: argparse.Namespace) -> int:
    """Plays one data set to several engines: what each can do beside what the robot gets. Exits with 1 unless all pass."""
    from benchmarks.engine_sweep import sweep_engines
    from benchmarks.sweep_runs import EngineSpec

    specs = [EngineSpec.parse(text) for text in arguments.engines]
    specs += [EngineSpec.parse(arguments.engines[0], emulate=model) for model in arguments.emulate]
    sweep = sweep_engines(
        arguments.dataset, specs, rate_hz=arguments.rate, words=_words(arguments), out=arguments.out, say=say,
        lockstep=arguments.lockstep,
    )  # fmt: skip
    if arguments.json:
        print_json(sweep.to_dict())
    else:
        print_table(sweep.rows())
        print("\n".join(["", *sweep.notes(), "", f"Report: {sweep.folder / 'sweep.html'}"]))
    return EXITS_OF_VERDICTS[sweep.status]


def _words(arguments: argparse.Namespace) -> list[str]:
    """Returns the rules that every run of a sweep shares, as words of `rehearse hil`."""
    given = {
        "--profile": arguments.profile, "--duration": arguments.duration, "--claim": arguments.claim,
        "--warm-up": arguments.warm_up, "--deadline": arguments.deadline,
    }  # fmt: skip
    return [f"{name}={value}" for name, value in given.items() if value is not None]
