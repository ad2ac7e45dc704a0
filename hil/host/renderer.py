"""A renderer is a process of its own: it makes a film's frames in order, never more than so many ahead of who plays them.

The arrays of frame k go to their place in a file (`hil.host.spool`, so in memory that both processes share, and on disk where
memory is short); a pipe says that they are there, with the rest of the frame. It runs at a low priority: who plays the
frames and who answers them come first. An error of the simulator is told as it is; a process that dies is told as well.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import shutil
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Semaphore
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.host.spool import Shell, Spool, frame_bytes
from scenes.camera import Camera
from scenes.errors import BackendError
from sim.film import Film, play
from sim.frame import Frame
from sim.running.worker import start_worker

_NICE = 10
_STOP_WITHIN_S = 5.0
_DISK_LEFT = 256 * 2**20


class Renderer:
    """Makes the first `count` frames of a film, at most `ahead` beyond those that were released. A context manager.

    Call from one thread: `wait` for the next frame, then `camera`, `rgb` and `frame` know it. Raises BackendError where
    the disk has no room for `count` frames, and from `wait` whatever the simulator raised.
    """

    def __init__(self, film: Film, count: int, *, ahead: int, folder: Path) -> None:
        self.film, self.count, self.made = film, count, 0
        self.names: list[str] = []
        self._cameras: list[Camera] = []
        self._rest: list[bytes] = []
        self._first_at = self._last_at = 0.0
        self._folder = _make_room(folder, count * frame_bytes(film.size))
        try:
            path = self._folder / "frames.raw"
            self._spool = Spool(path, film.size, create=True)
            context = multiprocessing.get_context("spawn")
            self._ahead = context.Semaphore(ahead)
            self._pipe, theirs = context.Pipe(duplex=False)
            self._process = context.Process(
                target=_render, args=(film, count, path, theirs, self._ahead), name="rehearse-renderer", daemon=True
            )
            self._process.start()
            theirs.close()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def __enter__(self) -> Renderer:  # noqa: PYI034  # Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def frames_per_s(self) -> float | None:
        """The frames that it made per second since the first one was there; None before the second one."""
        return None if self.made < 2 else (self.made - 1) / max(self._last_at - self._first_at, 1e-6)

    def wait(self, timeout_s: float) -> bool:
        """Waits for one more frame; False where none came in that time. Raises BackendError where none will come."""
        try:
            if not self._pipe.poll(timeout_s):
                return False
            said = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise BackendError(f"The renderer died after {self.made} frames (killed, or out of memory).") from error
        if isinstance(said, Exception):
            raise said
        self._last_at, name, camera, rest = said
        self._first_at = self._first_at or self._last_at
        self.names.append(name)
        self._cameras.append(camera)
        self._rest.append(rest)
        self.made += 1
        return True

    def release(self) -> None:
        """Says that one more frame was played, so that one more may be made. Costs microseconds."""
        self._ahead.release()

    def camera(self, number: int) -> Camera:
        """Returns the camera of a frame that was made."""
        return self._cameras[number]

    def rgb(self, number: int) -> NDArray[np.uint8]:
        """Reads the image of a frame that was made, uint8 (H, W, 3); lets other threads run meanwhile."""
        return self._spool.rgb(number)

    def frame(self, number: int) -> Frame:
        """Reads a frame that was made, with its truth."""
        shell: Shell = pickle.loads(self._rest[number])  # noqa: S301  # our own process wrote it
        return self._spool.frame(number, shell)

    def stop(self) -> None:
        """Ends the process; what was made stays. May be called twice."""
        self._process.terminate()
        self._process.join(_STOP_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()


def _make_room(folder: Path, needed: int) -> Path:
    """Returns a new folder for the frames; raises BackendError where they do not fit."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if needed + _DISK_LEFT > free:
            raise BackendError(
                f"The frames need {needed / 2**30:.1f} GiB on the disk of {folder} while the run lasts, and {free / 2**30:.1f} "
                "GiB are free: play a clip again and again (--clip SECONDS), or take a smaller --size or a shorter run."
            )
        return Path(tempfile.mkdtemp(prefix=".frames-", dir=folder))
    except OSError as error:
        raise BackendError(f"Cannot keep frames in {folder}: {error.strerror or error}.") from error


def _render(film: Film, count: int, path: Path, pipe: Connection, ahead: Semaphore) -> None:
    """The process: renders, writes, tells. Ends when its parent ends or stops listening."""
    start_worker()
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    try:
        spool = Spool(path, film.size)
        for number, frame in zip(range(count), play(film), strict=False):
            ahead.acquire()
            spool.write(number, frame)
            pipe.send((time.monotonic(), frame.name, frame.camera, pickle.dumps(Shell.of(frame))))
    except BrokenPipeError:
        return
    except Exception as error:  # whatever it is, the parent judges it
        pipe.send(_portable(error))


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    except Exception:  # an exception class that cannot travel travels as its text
        return BackendError(f"The renderer failed: {type(error).__name__}: {error}")
    return error
