"""Whether memory stays bounded over many frames: generates them with one worker that is never replaced, then reads them.

    nice -n 10 .venv/bin/python scripts/memory_over_frames.py out/many --frames 10000 --size 160x120

Prints JSON: the slope of resident memory over the second half of the run, in MB per 1,000 frames, of the run and of its
worker, and the run's peak, its last step (the manifest) included; then, for each way to read the data set, the peak and
the CPU seconds of a fresh process. OUT/rows.csv has the memory after every scene. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from sim.generate import GenerateSpec, generate
from sim.running.memory import children, resident
from sim.running.run_plan import RunPlan

_COST = "import time; from sim.running.memory import resident; print('cost', resident().peak_mb, time.process_time())"
READERS = {
    "nothing": "import sim.dataset, cv2",
    "open": "from sim.dataset import Dataset; Dataset.open({data!r})",
    "read every frame": "from sim.dataset import Dataset\nfor frame in Dataset.open({data!r}): pass",
    "inspect": "from sim.inspect import inspect_dataset; inspect_dataset({data!r}, {out!r} + '/sheet.png')",
    "inspect --html": "from sim.browser import write_browser; write_browser({data!r}, {out!r} + '/pages')",
    "convert --to coco": "from sim.convert import *; convert(ConvertSpec(dataset={data!r}, out={out!r} + '/coco', to='coco'))",
    "convert --to webdataset": (
        "from sim.convert import *; convert(ConvertSpec(dataset={data!r}, out={out!r} + '/shards', to='webdataset'))"
    ),
}


def main() -> None:
    """Runs all of it; OUT/data is gone on with where an earlier call left it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--size", type=lambda text: tuple(int(v) for v in text.split("x")), default=(160, 120))
    arguments = parser.parse_args()
    data = arguments.out / "data"
    print(json.dumps({"generate": _generate(data, arguments.frames, arguments.size)}), flush=True)
    for name, code in READERS.items():
        text = code.format(data=str(data), out=str(arguments.out)) + "\n" + _COST
        done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
        peak_mb, cpu_s = map(float, done.stdout.rpartition("cost ")[2].split())
        print(json.dumps({name: {"peak_mb": round(peak_mb, 1), "cpu_s": round(cpu_s, 1)}}), flush=True)


def _generate(data: Path, frames: int, size: tuple[int, int]) -> dict[str, float]:
    rows: list[tuple[int, float, float]] = []

    def note(done: int, _total: int) -> None:
        workers = [held.now_mb for pid in children() if (held := resident(pid)) is not None]
        mine = resident()
        if workers and mine is not None:
            rows.append((done, mine.now_mb, max(workers)))

    spec = GenerateSpec(suite="tabletop", out=data, frames=frames, size=size, workers=1, stages=False)
    summary = generate(spec, plan=RunPlan(recycle_scenes=10**9), progress=note)
    np.savetxt(data.parent / "rows.csv", rows, fmt="%.1f", delimiter=",", header="frames,run_mb,worker_mb", comments="")
    found = {"frames": float(summary.frames), "seconds": summary.seconds}
    if summary.memory.parent is not None:
        found["run_peak_mb"] = summary.memory.parent.peak_mb
    late = np.array([row for row in rows if row[0] > frames / 2])
    for name, column in (("run", 1), ("worker", 2)) if len(late) > 2 else ():
        slope = float(np.polyfit(late[:, 0], late[:, column], 1)[0])
        found |= {f"{name}_mb_per_1000_frames": 1000 * slope, f"{name}_last_mb": late[-1, column]}
        found[f"{name}_most_mb"] = max(row[column] for row in rows)
    return {name: round(value, 3) for name, value in found.items()}


if __name__ == "__main__":
    main()
