"""What every export promises: parts that can be made alone and in any order, and one closing step over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

Record = dict[str, Any]


class Exporter(Protocol):
    """Writes a data set in another format. The bytes depend on the data set and the options alone."""

    @property
    def parts(self) -> Sequence[Sequence[int]]:
        """The frames' numbers, part by part; every frame is in exactly one part."""
        ...

    def write_part(self, part: int, folder: Path, /) -> Record:
        """Writes the files of one part into `folder`, over whatever an interrupted call left, and returns its record."""
        ...

    def finish(self, folder: Path, records: Sequence[Record], /) -> None:
        """Writes what concerns all parts; may be called again after it was interrupted."""
        ...

    def notes(self, records: Sequence[Record], /) -> list[str]:
        """Returns what the format could not take, one sentence each."""
        ...


def part_per_frame(count: int) -> list[range]:
    """Returns parts of one frame each."""
    return [range(number, number + 1) for number in range(count)]
