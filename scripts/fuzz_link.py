"""Fuzzes every decoder of the link, guided by coverage: python scripts/fuzz_link.py --runs 1000000.

Needs atheris (pip install atheris). The targets are those of tests/hil/fuzz_targets.py, the first inputs are real messages,
and msgpack is its implementation in Python, so that the fuzzer sees into it (--native takes the compiled one). The memory of
the process is limited: an input that makes a decoder allocate more than --megabytes beyond what was there is a finding, and so
is every exception but ProtocolError. A finding is written as `crash-*` into the folder of the corpus and ends the run with
status 77; run with that file's path as the last argument to see it again.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

INSTRUMENTED = ["hil", "msgpack", "scenes.distortion", "scenes.box", "scenes.transforms", "perception.prediction"]


def main() -> None:
    """Runs libFuzzer over all targets until it has its runs; it ends the process itself."""
    arguments = _arguments()
    if not arguments.native:
        os.environ["MSGPACK_PUREPYTHON"] = "1"
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        import msgpack

        from tests.hil.fuzz_targets import TARGETS, corpus, run
    arguments.corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus()):
        (arguments.corpus / f"real-{number:03d}").write_bytes(data)
    _limit_memory(arguments.megabytes)
    state: dict[str, object] = {}
    counts = [0] * len(TARGETS)
    started = time.monotonic()

    def one(data: bytes) -> None:
        run(data, state)
        if len(data) >= 2:
            counts[data[0] % len(TARGETS)] += 1
        if sum(counts) == arguments.runs:
            _report(counts, [t.__name__ for t in TARGETS], time.monotonic() - started, msgpack.Unpacker.__module__)

    words = [sys.argv[0], f"-runs={arguments.runs * 2}", f"-seed={arguments.seed}", "-max_len=4096", "-print_final_stats=1"]
    words += [f"-artifact_prefix={arguments.corpus}/", "-timeout=20", "-rss_limit_mb=0", *arguments.rest, str(arguments.corpus)]
    atheris.Setup(words, one)
    atheris.Fuzz()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="messages (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--megabytes", type=int, default=256, help="what decoding may take at most (default: %(default)s)")
    parser.add_argument("--corpus", type=Path, default=Path("out/fuzz"), help="folder of inputs, kept (default: %(default)s)")
    parser.add_argument("--native", action="store_true", help="msgpack as compiled, without a view into it")
    parser.add_argument("rest", nargs="*", help="options of libFuzzer, or inputs to run again")
    return parser.parse_args()


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _report(counts: list[int], names: list[str], seconds: float, unpacker: str) -> None:
    print(f"{sum(counts)} messages in {seconds:.0f} s, {sum(counts) / seconds:.0f} a second, unpacked by {unpacker}")
    for name, count in zip(names, counts, strict=True):
        print(f"  {name:<24} {count}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
