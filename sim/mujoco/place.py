"""Where pictures are drawn: in the thread that asks for them, or in a second one that has an OpenGL context of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from sim.mujoco.gl import GlContext
from sim.mujoco.second_display import NoSecondDisplayError, open_second, renderer_of_current

T = TypeVar("T")


class Place(Protocol):
    """A thread and the OpenGL context that is drawn on in it, and only in it."""

    @property
    def gl(self) -> GlContext:
        """The context."""
        ...

    def start(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begins work, one piece after the other; what it returns waits for the result, or raises what the work raised."""
        ...

    def close(self) -> None:
        """Frees the context; may be called twice."""
        ...


class Here:
    """The calling thread: work is done before `start` returns."""

    def __init__(self, gl: GlContext) -> None:
        self.gl = gl

    def start(self, work: Callable[[], T]) -> Callable[[], T]:
        """Does the work."""
        result = work()
        return lambda: result

    def close(self) -> None:
        """Frees the context; may be called twice."""
        self.gl.free()


class Beside:
    """A second thread. `start` returns at once, so what is drawn here meanwhile costs no time where a core is idle."""

    # Not a ThreadPoolExecutor: its threads have ended when what is registered with atexit frees the context.

    def __init__(self, like: tuple[str, ...]) -> None:
        """Starts the thread and opens its context (0.1 s); raises NoSecondDisplayError where none draws as `like` does."""
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._queue,), name="rehearse-draws-beside", daemon=True)
        self._thread.start()
        try:
            self.gl = self.start(lambda: open_second(like))()
        except BaseException:
            self._end()
            raise

    @classmethod
    def open(cls, first: GlContext) -> Beside | None:
        """Opens one beside a context; None where this machine has no other that draws the same in software."""
        first.make_current()
        try:
            return cls(renderer_of_current())
        except NoSecondDisplayError:
            return None

    def start(self, work: Callable[[], T]) -> Callable[[], T]:
        """Hands the work to the thread."""
        future: Future[T] = Future()
        self._queue.put((future, work))
        return future.result

    def close(self) -> None:
        """Frees the context and ends the thread; may be called twice."""
        if self._thread.is_alive():
            self.start(self.gl.free)()
            self._end()

    def _end(self) -> None:
        self._queue.put(None)
        self._thread.join()


def _serve(queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]) -> None:
    while (item := queue.get()) is not None:
        future, work = item
        try:
            future.set_result(work())
        except BaseException as error:  # whoever asked for it raises it
            future.set_exception(error)
        del item, future, work  # the thread waits without holding on to a world
