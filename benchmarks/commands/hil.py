"""Hardware in the loop: the agent on the device, the runner on the host, and what their recordings say."""

from __future__ import annotations

import argparse
from typing import Literal

from benchmarks.commands._source import source_of, source_words
from benchmarks.commands.exits import EXIT_FAILED_CHECK, EXIT_OK, EXITS_OF_VERDICTS
from benchmarks.console import print_json, print_rows, print_table, say


def agent(arguments: argparse.Namespace) -> int:
    """Serves an engine, or an emulated device, on a link until it is stopped."""
    from hil.agent.serve import serve
    from scenes.errors import RehearseError

    if arguments.engine is None and arguments.emulate is None:
        raise RehearseError("An agent needs an engine file, or --emulate with a model such as p50=40ms,p99=45ms.")

    serve(
        arguments.engine,
        bind=arguments.bind,
        backend=arguments.backend,
        threads=arguments.threads,
        precision=arguments.precision,
        insecure=arguments.insecure,
        keys=arguments.keys,
        sha256=arguments.sha256,
        emulate=arguments.emulate,
        seed=arguments.seed,
        in_process=arguments.in_process,
        hang_after_s=arguments.hang_after,
    )
    return EXIT_OK


def agent_keys(arguments: argparse.Namespace) -> int:
    """Makes the keys of an encrypted link, a pair for the agent and one for a host, and says what to copy where."""
    from hil.link.keys import default_folder, instructions, make_keys

    folder = arguments.out or default_folder()
    files = make_keys(folder, force=arguments.force)
    print_json({"folder": str(folder), "files": [str(path) for path in files]}) if arguments.json else print(instructions(folder))
    return EXIT_OK


def hil(arguments: argparse.Namespace) -> int:
    """Streams frames to an agent on the clock; scores quality and latency together. Exits with 1 for FAIL, 3 for INVALID."""
    from contextlib import nullcontext

    from benchmarks.demo import agent_process, find_engine
    from benchmarks.rehearsal import rehearse_device
    from hil.profiles import profile_named

    profile = profile_named(arguments.profile).changed(
        duration_s=arguments.duration, claim=arguments.claim, warm_up_cap_s=arguments.warm_up,
        deadline_s=_deadline_s(arguments.deadline, arguments.rate),
    )  # fmt: skip
    source = source_of(arguments)
    if arguments.runs > 1:
        return _hil_runs(arguments)
    engine = None if arguments.engine is None else find_engine(arguments.engine)
    started = nullcontext(arguments.device) if engine is None else agent_process(engine, log=arguments.out / "agent.log")
    with started as device:
        rehearsal = rehearse_device(
            source, device, rate_hz=arguments.rate, profile=profile, out=arguments.out, say=say,
            link={
                "keys": arguments.keys, "insecure": arguments.insecure, "compress": arguments.compress,
                "stay_awake": not arguments.allow_idle,
            },
            every=arguments.camera_every, lockstep=arguments.lockstep,
            mcap=_mcap_topics(arguments),
        )  # fmt: skip
    print_json(rehearsal.to_dict()) if arguments.json else print(rehearsal.describe())
    return EXITS_OF_VERDICTS[rehearsal.verdict.status]


def _hil_runs(arguments: argparse.Namespace) -> int:
    """Repeats a run in fresh processes; the verdict is on all of them together."""
    from benchmarks.repeat import repeat_runs

    given = {
        "--rate": arguments.rate, "--profile": arguments.profile, "--duration": arguments.duration, "--claim": arguments.claim,
        "--warm-up": arguments.warm_up, "--deadline": arguments.deadline, "--camera-every": arguments.camera_every,
        "--engine": arguments.engine,
        "--device": arguments.device if arguments.engine is None else None, "--keys": arguments.keys,
        "--compress": arguments.compress,
    }  # fmt: skip
    given["--mcap-topics"] = _mcap_topics(arguments)
    words = [*source_words(arguments), *(f"{name}={value}" for name, value in given.items() if value is not None)]
    words += ["--insecure"] if arguments.insecure else []
    words += ["--lockstep"] if arguments.lockstep else []
    words += ["--allow-idle"] if arguments.allow_idle else []
    repeated = repeat_runs(words, runs=arguments.runs, out=arguments.out, say=say)
    print_json(repeated.to_dict()) if arguments.json else print(repeated.describe())
    return EXITS_OF_VERDICTS[repeated.verdict.status]


def _deadline_s(said: float | Literal["period"] | None, rate_hz: float) -> float | None:
    """Returns the deadline in seconds, None where it is the profile's."""
    if said is None:
        return None
    return 1 / rate_hz if said == "period" else said / 1e3


def _mcap_topics(arguments: argparse.Namespace) -> str | None:
    """Returns what an MCAP recording has, None where none was asked for."""
    if arguments.mcap_topics is not None:
        return str(arguments.mcap_topics)
    return "all" if arguments.mcap else None


def hil_check(arguments: argparse.Namespace) -> int:
    """Checks an MCAP recording rule by rule, from CRCs to scores made again from its maps. Exits with 1 where one is broken."""
    from hil.mcap.check import check_recording
    from hil.recordings.any_recording import is_mcap, need_mcap
    from scenes.errors import DatasetError

    need_mcap("Checking a recording")
    if arguments.recording.is_file() and not is_mcap(arguments.recording):
        raise DatasetError(f"{arguments.recording} is not an MCAP file; `rehearse hil replay` checks a recording.rhil.")
    findings = check_recording(arguments.recording)
    if arguments.json:
        print_json([{"name": f.name, "holds": f.holds, "found": f.found} for f in findings])
    else:
        words = {True: "ok", False: "BROKEN", None: "not tried"}
        print_table([(words[finding.holds], finding.name, finding.found) for finding in findings])
    return EXIT_FAILED_CHECK if any(finding.holds is False for finding in findings) else EXIT_OK


def hil_replay(arguments: argparse.Namespace) -> int:
    """Makes every figure of a run again from its recording alone, and compares with what was reported, to the bit."""
    from hil.figures.replay import differences, replay

    figures, reported = replay(arguments.recording)
    found = [] if reported is None else list(differences(figures, reported))
    equal = reported is not None and not found
    if arguments.json:
        print_json({"figures": figures, "equal": equal, "differences": found})
        return EXIT_OK if equal else EXIT_FAILED_CHECK
    print(f"{figures['verdict']['status']}: {figures['verdict']['reason']}")
    marks = {f"p{100 * q['p']:g}": q["ms"] for q in figures["latency"]["quantiles"]}
    print_rows({"outcomes": figures["outcomes"], "latency, ms": marks})
    if reported is None:
        print("No figures were reported: the run ended before its report; these are made from its frames.")
    elif equal:
        print("Every figure is the reported one, to the bit.")
    else:
        print("\n  ".join([f"{len(found)} figures differ (recomputed, reported):", *found[:20]]))
    return EXIT_OK if equal else EXIT_FAILED_CHECK


def hil_proxy(arguments: argparse.Namespace) -> int:
    """Stands between a host and an agent and does faults to their messages, the same for a seed, until it is stopped."""
    import signal
    import threading

    from hil.faults import FaultProxy, parse_faults
    from hil.faults.spec import describe

    up, down = (parse_faults(arguments.faults if own is None else own) for own in (arguments.up, arguments.down))
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with FaultProxy(arguments.to, listen=arguments.listen, up=up, down=down, seed=arguments.seed) as proxy:
            say(f"{proxy.address} -> {arguments.to}; to the agent: {describe(up)}; back: {describe(down)}")
            print(f"READY {proxy.address}", flush=True)
            stop.wait(arguments.duration)
            counts = proxy.counts()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    print_json(counts) if arguments.json else print_rows(counts)
    return EXIT_OK


def hil_rules(arguments: argparse.Namespace) -> int:
    """Says what each way of measuring reports of one simulated device: most of them hide what a stall costs."""
    import numpy as np

    from hil.agent.service import parse_service
    from hil.figures.rules import compare_rules, rule_table

    rng = np.random.Generator(np.random.PCG64(arguments.seed))
    service_s = parse_service(arguments.service).times_s(arguments.frames, rng=rng)
    rows = compare_rules(service_s, rate_hz=arguments.rate, deadline_s=1 / arguments.rate)
    if arguments.json:
        print_json([row.to_dict() for row in rows])
        return EXIT_OK
    print(f"{arguments.frames} frames at {arguments.rate:g} FPS, deadline {1e3 / arguments.rate:.1f} ms, {arguments.service}")
    heads, cells = rule_table(rows)
    print_table([heads, *cells])
    return EXIT_OK


def demo(arguments: argparse.Namespace) -> int:
    """Goes from a seed to a report: scenes, frames, agent, stream, scores, verdict. Exits with 0 whatever the verdict."""
    from benchmarks.demo import DemoSpec, run_demo

    spec = DemoSpec(
        engine=arguments.engine,
        out=arguments.out,
        frames=arguments.frames,
        seed=arguments.seed,
        rate_hz=arguments.rate,
        duration_s=arguments.duration,
        backend=arguments.backend,
        threads=arguments.threads,
    )
    rehearsal = run_demo(spec, say=say)
    print_json(rehearsal.to_dict()) if arguments.json else print(rehearsal.describe())
    return EXIT_OK
