"""A data set as a Slurm array: each task makes one part, named by its number, and a last job joins them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenes.errors import DatasetError
from sim.running.run_plan import Shard

TASK_ID = "SLURM_ARRAY_TASK_ID"


def shard_of_task(environ: Mapping[str, str], count: int) -> Shard:
    """Returns the part that this task of the array is to make, which its number names; raises DatasetError.

    The number of parts is an argument and not SLURM_ARRAY_TASK_COUNT, so that `--array=3,7` makes parts 3 and 7 again.
    """
    text = environ.get(TASK_ID, "")
    if not text.isdecimal():
        raise DatasetError(
            f"The executor slurm-array is for a task of a Slurm array, and {TASK_ID} is {text!r} here: "
            "submit what --print-script prints, or name the part with --shard I/N."
        )
    return Shard(index=int(text), count=count)


def array_script(arguments: Sequence[str], *, out: Path, parts: int, workers: int, name: str) -> str:
    """Returns an sbatch script whose tasks run `rehearse ARGUMENTS` and whose comment says how to join the parts.

    `arguments` are those of one task, `out` the folder of all parts. No I/O.
    """
    command = shlex.join(["rehearse", *arguments])
    pattern = f"{shlex.quote(str(out))}/{'part-*'}"
    merged = shlex.quote(f"{out}-merged")
    return f"""#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{parts}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={workers}
#SBATCH --requeue
#SBATCH --output={name}-%A_%a.log

# Submit with: sbatch THIS_FILE. A task that was killed goes on where it stopped when it is submitted again, such as
# with: sbatch --array=3,7 THIS_FILE. OUT must be on a disk that every node sees. When all are done, join the parts:
#   rehearse merge {pattern} {merged}
# or let Slurm do it (JOB is the number that sbatch printed):
#   sbatch --dependency=afterok:JOB --wrap {shlex.quote(f"rehearse merge {pattern} {merged}")}

set -euo pipefail
exec {command}
"""
