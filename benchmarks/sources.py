"""Where a run's frames come from: a data set on disk, a suite rendered while it runs, or a rendered clip again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.profiles import Profile
from hil.runner import FrameSource
from sim.dataset import Dataset
from sim.film import Film


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A film to play: `ahead_s` of it are rendered before the clock starts, the rest meanwhile.

    With `clip_s` so much is rendered, all of it before, and played again and again.
    """

    film: Film
    ahead_s: float = 2.0
    clip_s: float | None = None


Source = Path | Rendered


@contextmanager
def open_source(
    source: Source, *, device: str, rate_hz: float, profile: Profile, out: Path
) -> Iterator[tuple[FrameSource, dict[str, Any]]]:
    """Yields frames by number and what a report says of them; for a film, waits until enough of it is rendered.

    The frames stay until the block ends. Looks for the agent before it renders. Raises DatasetError for a data set,
    LinkError for the agent and BackendError for a renderer that cannot keep up.
    """
    if isinstance(source, Path):
        from benchmarks.rehearsal import dataset_facts

        dataset = Dataset.open(source)
        yield dataset, dataset_facts(dataset)
        return
    from benchmarks.console import print_count
    from hil.client import Client
    from hil.live import Clip, LiveCamera

    Client(device).close()
    most = profile.warm_up.most(rate_hz) + round(rate_hz * profile.duration_s)
    made: Clip | LiveCamera
    if source.clip_s is not None:
        frames = min(max(round(source.clip_s * rate_hz), 1), most)
        made = Clip(source.film, frames=frames, folder=out, tell=print_count)
    else:
        made = LiveCamera(source.film, most, rate_hz=rate_hz, ahead_s=source.ahead_s, folder=out, tell=print_count)
    with made as frames_made:
        yield frames_made, frames_made.facts()


def describe_source(source: Source, frames: int) -> str:
    """Returns what is played, in words."""
    if isinstance(source, Path):
        return f"{frames} frames in a loop"
    size = "x".join(str(side) for side in source.film.size)
    how = "as it is rendered" if source.clip_s is None else f"a clip of {frames} rendered frames in a loop"
    return f"{source.film.suite} {size} {how}"
