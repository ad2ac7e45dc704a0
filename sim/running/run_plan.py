"""How the scenes of a data set get made: where, which of them, and what happens to one that fails. No byte depends on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenes.errors import DatasetError, UnknownNameError

EXECUTORS = ("process", "ray", "slurm-array")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Part `index` of `count`, from 1: a run of neighbouring scenes. Raises DatasetError for numbers that make no sense."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise DatasetError(f"A shard is I/N with 1 <= I <= N, such as 2/16, got {self.index}/{self.count}.")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Reads I/N; raises DatasetError."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found:
            raise DatasetError(f"A shard is I/N, such as 2/16, got {text!r}.")
        return cls(index=int(found[1]), count=int(found[2]))

    def scenes(self, total: int) -> range:
        """Returns which of `total` scenes belong to this shard; the shards together have every scene once."""
        return range((self.index - 1) * total // self.count, self.index * total // self.count)

    @property
    def folder_name(self) -> str:
        """The name of this part's folder among the others, in order of name."""
        return f"part-{self.index:04d}-of-{self.count:04d}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Where and how to make scenes; the default is all of them by processes of this machine.

    `retries` more attempts are given to a scene whose failure may pass (a process that died, a renderer that failed);
    one that still fails stops the run, or is left out where `keep_going`. A worker process is replaced after
    `recycle_scenes` scenes, or when it holds `recycle_mib` of memory, so that what a renderer leaks stays
    bounded. `ray_address` None starts a local cluster. A worker process draws in `drawing_threads`, 1 or 2: in the second
    it draws truth while the image is drawn; None means 2 where every worker has two cores.
    """

    executor: str = "process"
    ray_address: str | None = None
    shard: Shard | None = None
    retries: int = 2
    keep_going: bool = False
    recycle_scenes: int = 500
    recycle_mib: int | None = None
    drawing_threads: int | None = None

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise UnknownNameError("executor", self.executor, EXECUTORS)
        if self.drawing_threads not in {None, 1, 2}:
            raise DatasetError(f"A worker draws in 1 or 2 threads, not in {self.drawing_threads}.")
        if self.retries < 0 or self.recycle_scenes < 1:
            raise DatasetError(
                f"A run needs 0 or more retries and at least 1 scene per process, got {self.retries} and {self.recycle_scenes}."
            )
        if self.ray_address is not None and self.executor != "ray":
            raise DatasetError(f"A Ray address belongs to the executor ray, not to {self.executor}.")
