"""What a stream plays: packed images by number, which are there before the clock starts or come while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from hil.link.protocol import Body


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """A packed image, ready to be sent any number of times, its size (H, W) and its name in the data set."""

    body: Body
    size: tuple[int, int]
    name: str = ""


class Images(Protocol):
    """Images by number from 0; all but `facts` and `names` are called on the timed path and cost microseconds."""

    @property
    def fault(self) -> str | None:
        """The sentence of why no more images come, None while they do: a fault of the host, never of the device."""
        ...

    @property
    def late(self) -> int:
        """How many images were not there when they were due."""
        ...

    def __len__(self) -> int: ...

    def ready(self, number: int) -> bool:
        """Whether that image is there; it is due now, and none before it will be asked for again."""
        ...

    def body(self, number: int) -> Body:
        """Returns the image that was ready last, packed."""
        ...

    def size(self, number: int) -> tuple[int, int]:
        """Returns the height and width of any image that was ready once."""
        ...

    def names(self) -> list[str]:
        """Returns the names of the images that are known."""
        ...

    def facts(self) -> dict[str, Any]:
        """Returns what a report says of them after the run."""
        ...

    def stop(self) -> None:
        """Ends whatever makes more of them; called after the last frame."""
        ...


@runtime_checkable
class Filming(Protocol):
    """Frames that are made while they are played, and are frames by number from then on."""

    def start(self, count: int) -> Images:
        """Begins to hand over the first `count` frames."""
        ...


class Loaded:
    """Images that all were there before the clock started; satisfies Images."""

    fault: str | None = None
    late = 0

    def __init__(self, images: Sequence[Image]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def ready(self, number: int) -> bool:  # noqa: ARG002
        """Says yes."""
        return True

    def body(self, number: int) -> Body:
        """Returns any image, packed."""
        return self._images[number].body

    def size(self, number: int) -> tuple[int, int]:
        """Returns the height and width of any image."""
        return self._images[number].size

    def names(self) -> list[str]:
        """Returns all names."""
        return [image.name for image in self._images]

    def facts(self) -> dict[str, Any]:
        """Returns how many there are."""
        return {"images_used": len(self._images)}

    def stop(self) -> None:
        """Does nothing: all are there."""
