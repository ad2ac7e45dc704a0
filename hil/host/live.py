"""A suite rendered live: a process of its own makes the frames while the clock runs, and the truth comes along for scoring.

Frame i of the run shows frame i of the film, whatever the renderer's speed: which pictures are played is a function of suite,
split, seed and capture alone. A frame that is not there when it is due leaves late, which is the host's fault and not
the device's: the run is INVALID by the rule of the frame clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hil.host.answers import room_for_answers
from hil.host.renderer import Renderer
from hil.link.protocol import Body
from hil.link.request import pack_frame
from hil.quiet import BESIDE, real_time
from scenes.errors import BackendError
from sim.film import Film
from sim.frame import Frame

if TYPE_CHECKING:
    from typing_extensions import Self  # typing has it from Python 3.11 on

# A renderer that says nothing for so long hangs: a scene takes a second or two to settle.
_SILENCE_S = 60.0
_POLL_S = 0.2
# What a renderer may lose while an agent beside it computes, so that a promise made before the clock starts is kept.
_RESERVE = 1.1
# An answer is kept until it is scored: int32 segments and float32 depth.
_ANSWER_BYTES_PER_PIXEL = 8

Count = Callable[[int, int], object]


class _Rendered:
    """What a renderer made, readable while the block lasts; its frames are on the disk until then."""

    film: Film
    _renderer: Renderer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renderer.__exit__()


class LiveCamera(_Rendered):
    """A film of at most `count` frames that is rendered while it is played, `ahead_s` of it before that.

    A context manager: waits until so much is there. Then it is the frames of the run (by number, with truth), also after
    it. Raises BackendError where the renderer cannot keep up for `count` frames at `rate_hz`, in one sentence that says
    what can; and where disk or memory cannot hold them.
    """

    def __init__(
        self, film: Film, count: int, *, rate_hz: float, ahead_s: float, folder: Path, tell: Count | None = None
    ) -> None:
        self.film, self.rate_hz = film, rate_hz
        self.ahead = min(max(math.ceil(ahead_s * rate_hz), 2), count)
        _assert_memory(film, count)
        self._renderer = Renderer(film, count, ahead=self.ahead, folder=folder)
        try:
            _wait_for(self._renderer, self.ahead, tell)
            self._assert_speed()
        except BaseException:
            self._renderer.__exit__()
            raise

    def __len__(self) -> int:
        return self._renderer.count

    def __getitem__(self, number: int, /) -> Frame:
        """Returns a frame that was rendered, with its truth."""
        return self._renderer.frame(number)

    def start(self, count: int) -> LiveImages:
        """Begins to hand over frames to a run, from the first on; once in a camera's life."""
        return LiveImages(self._renderer, min(count, len(self)), ahead=self.ahead)

    def facts(self) -> dict[str, Any]:
        """Returns what is known before the run."""
        speed = self._renderer.frames_per_s
        return {
            **self.film.facts(), "source": "rendered live, every frame shown once", "frames_ahead": self.ahead,
            "rendered_per_s_before": None if speed is None else round(speed, 1),
        }  # fmt: skip

    def _assert_speed(self) -> None:
        speed, rate, count = self._renderer.frames_per_s, self.rate_hz, self._renderer.count
        if speed is None or self.ahead >= count or speed >= _RESERVE * rate:
            return
        needed_s = count / rate * (1 - speed / (_RESERVE * rate))
        if self.ahead / rate < needed_s:
            raise BackendError(
                f"The renderer makes {speed:.1f} frames a second here, and {count} frames at {rate:g} FPS need more than that "
                f"or {math.ceil(needed_s)} s of them before the clock starts: --ahead {math.ceil(needed_s)}, a smaller --size, "
                "a lower --rate, or a clip that is played again and again (--clip SECONDS)."
            )


class LiveImages:
    """The images of a film as they come; a thread packs them, off the timed path. Satisfies `hil.host.images.Images`."""

    def __init__(self, renderer: Renderer, count: int, *, ahead: int) -> None:
        self.fault: str | None = None
        self._renderer, self._count, self._ahead = renderer, count, ahead
        self._bodies: dict[int, Body] = {}
        self._late: set[int] = set()
        self._next = 0
        self._stop = threading.Event()
        for number in range(min(renderer.made, count)):
            self._bodies[number] = self._pack(number)
        self._thread = threading.Thread(target=self._feed, name="rehearse-feeder", daemon=True)
        self._thread.start()

    @property
    def late(self) -> int:
        """How many images were not there when they were due."""
        return len(self._late)

    def __len__(self) -> int:
        return self._count

    def ready(self, number: int) -> bool:
        """Whether that image is there; forgets those before it, and lets the renderer make as many more."""
        if number not in self._bodies:
            self._late.add(number)
            return False
        while self._next < number:
            self._bodies.pop(self._next, None)
            self._renderer.release()
            self._next += 1
        return True

    def body(self, number: int) -> Body:
        """Returns the image that was ready last, packed."""
        return self._bodies[number]

    def size(self, number: int) -> tuple[int, int]:  # noqa: ARG002
        """Returns the height and width of every image."""
        width, height = self._renderer.film.size
        return height, width

    def names(self) -> list[str]:
        """Returns the names of the images that were made."""
        return list(self._renderer.names)

    def facts(self) -> dict[str, Any]:
        """Returns how many were played, how many came late, and why no more came."""
        played = min(self._next + 1, self._renderer.made)
        facts = {"frames": played, "images_used": played, "frames_late": self.late}
        return facts | ({} if self.fault is None else {"source_fault": self.fault})

    def stop(self) -> None:
        """Ends thread and renderer; what was made stays readable."""
        self._stop.set()
        self._thread.join()
        self._renderer.stop()

    def _feed(self) -> None:
        with real_time(BESIDE):
            self._feed_all()

    def _feed_all(self) -> None:
        renderer, heard = self._renderer, time.monotonic()
        while renderer.made < self._count and not self._stop.is_set():
            try:
                came = renderer.wait(_POLL_S)
            except Exception as error:  # whatever ends the renderer ends the run, which says so
                self.fault = str(error)
                return
            now = time.monotonic()
            if came:
                self._bodies[renderer.made - 1] = self._pack(renderer.made - 1)
            heard = now if came or self._full() else heard
            if now - heard > _SILENCE_S:
                self.fault = f"The renderer made nothing for {_SILENCE_S:g} s."
                return

    def _full(self) -> bool:
        return len(self._bodies) >= self._ahead

    def _pack(self, number: int) -> Body:
        camera = self._renderer.camera(number)
        return pack_frame(
            self._renderer.rgb(number), fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy, distortion=camera.distortion
        )


class Clip(_Rendered):
    """The first frames of a film, rendered before the clock starts and played again and again, as a data set is.

    A context manager, and by number the frames with their truth. Raises BackendError where they find no room.
    """

    def __init__(self, film: Film, *, frames: int, folder: Path, tell: Count | None = None) -> None:
        self.film = film
        _assert_memory(film, frames)
        self._renderer = Renderer(film, frames, ahead=frames, folder=folder)
        try:
            _wait_for(self._renderer, frames, tell)
            self._renderer.stop()
        except BaseException:
            self._renderer.__exit__()
            raise

    def __len__(self) -> int:
        return self._renderer.made

    def __getitem__(self, number: int, /) -> Frame:
        """Returns a frame with its truth."""
        if not 0 <= number < len(self):
            raise IndexError(f"The clip has {len(self)} frames, not {number}.")
        return self._renderer.frame(number)

    def facts(self) -> dict[str, Any]:
        """Returns what is known before the run."""
        return {**self.film.facts(), "source": f"a clip of {len(self)} rendered frames, played again and again"}


def _wait_for(renderer: Renderer, frames: int, tell: Count | None) -> None:
    heard = time.monotonic()
    while renderer.made < frames:
        if renderer.wait(_POLL_S):
            heard = time.monotonic()
            if tell is not None:
                tell(renderer.made, frames)
        elif time.monotonic() - heard > _SILENCE_S:
            raise BackendError(f"The renderer made nothing for {_SILENCE_S:g} s, after {renderer.made} of {frames} frames.")


def _assert_memory(film: Film, frames: int) -> None:
    """Raises BackendError where the answers to so many different frames, kept until they are scored, would not fit."""
    needed, room = frames * film.size[0] * film.size[1] * _ANSWER_BYTES_PER_PIXEL, room_for_answers()
    if needed > room:
        raise BackendError(
            f"The answers to {frames} different frames take {needed / 2**30:.1f} GiB until they are scored, and this machine has "
            f"{room / 2**30:.1f} GiB to spare: play a clip again and again (--clip SECONDS), or take a smaller --size or a "
            "shorter run."
        )
