"""Where a run's frames come from: a folder or a recording on disk, a suite rendered while it runs, or a rendered clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.host.runner import FrameSource
from hil.profiles import Profile
from scenes.errors import RehearseError
from sim.film import Film

if TYPE_CHECKING:
    from hil.host.live import Clip, LiveCamera


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A film to play: `ahead_s` of it are rendered before the clock starts, the rest meanwhile.

    With `clip_s` so much is rendered, all of it before, and played again and again.
    """

    film: Film
    ahead_s: float = 2.0
    clip_s: float | None = None


Source = Path | Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run wants of its source: see `benchmarks.rehearsal.rehearse_device`."""

    rate_hz: float
    profile: Profile
    every: int | None = None
    lockstep: bool = False
    mcap: bool = False

    @property
    def most(self) -> int:
        """The most frames that may be due, a warm-up to its cap included."""
        return self.profile.warm_up.most(self.rate_hz) + round(self.rate_hz * self.profile.duration_s)


@contextmanager
def open_source(
    source: Source, wanted: Wanted, *, device: str, out: Path, link: Mapping[str, Any]
) -> Iterator[tuple[FrameSource, dict[str, Any]]]:
    """Yields frames by number and what a report says of them; for a film, waits until enough of it is rendered.

    The frames stay until the block ends. Looks for the agent before it renders. Raises DatasetError for a data set,
    LinkError for the agent and BackendError for a renderer that cannot keep up.
    """
    _assert_recordable(source, wanted)
    if isinstance(source, Path):
        from benchmarks.recorded import open_frames, source_facts
        from benchmarks.rehearsal import play

        opened = open_frames(source)
        frames, played = play(opened, rate_hz=wanted.rate_hz, every=wanted.every)
        yield frames, {**source_facts(opened), **played}
        return
    _assert_possible(source, wanted)
    _look_for(device, link)
    with _rendered(source, wanted, out) as made:
        yield made, made.facts()


def describe_source(source: Source, frames: int, *, lockstep: bool = False) -> str:
    """Returns what is played, in words."""
    how = "in lockstep, as due" if lockstep else "in a loop"
    if isinstance(source, Path):
        return f"{frames} frames {how}"
    size = "x".join(str(side) for side in source.film.size)
    shown = "as it is rendered" if source.clip_s is None else f"a clip of {frames} rendered frames {how}"
    return f"{source.film.suite} {size} {shown}"


def _assert_recordable(source: Source, wanted: Wanted) -> None:
    live = isinstance(source, Rendered) and source.clip_s is None
    if wanted.mcap and (wanted.lockstep or live):
        way = "--lockstep computes its rows" if wanted.lockstep else "--live has no frames before the run"
        raise RehearseError(f"{way}, so there is no MCAP recording of it: leave --mcap out, recording.rhil is there.")


def _assert_possible(source: Rendered, wanted: Wanted) -> None:
    if wanted.every is not None:
        raise RehearseError("--camera-every belongs to a data set: what is rendered for a run is rendered at its rate.")
    if wanted.lockstep and source.clip_s is None:
        raise RehearseError("--lockstep waits for the engine and --live for nobody: play a clip (--clip SECONDS) in lockstep.")


def _look_for(device: str, link: Mapping[str, Any]) -> None:
    """Raises LinkError where no agent answers, before anything is rendered."""
    from hil.host.client import Client
    from hil.link.sockets import keys_for_host

    keys = keys_for_host(link.get("keys"), device, insecure=bool(link.get("insecure")))
    Client(device, keys=keys).close()


def _rendered(source: Rendered, wanted: Wanted, out: Path) -> Clip | LiveCamera:
    from benchmarks.console import print_count
    from hil.host.live import Clip, LiveCamera

    if source.clip_s is None:
        return LiveCamera(
            source.film, wanted.most, rate_hz=wanted.rate_hz, ahead_s=source.ahead_s, folder=out, tell=print_count
        )
    frames = min(max(round(source.clip_s * wanted.rate_hz), 1), wanted.most)
    return Clip(source.film, frames=frames, folder=out, tell=print_count)
