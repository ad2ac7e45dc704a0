"""A thread that lasts as long as a with-block; what it does is up to the class that it is."""

from __future__ import annotations

import abc
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self  # typing has it from Python 3.11 on

_JOIN_S = 5.0


class BlockThread(abc.ABC):
    """Starts with the block and is told to stop, and waited for, at its end. `name` is what the thread is called."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abc.abstractmethod
    def _run(self) -> None:
        """Works until `_stop` is set, and ends within five seconds of it."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
