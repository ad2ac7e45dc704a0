"""Progress that a person sees: a bar on stderr, a callback, or silence, behind one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]


@contextmanager
def reporting(progress: bool | Progress, *, done: int, total: int, unit: str) -> Iterator[Callable[[int], object]]:
    """Yields a function that takes how many more units are done; the bar's rate leaves out what was done before."""
    if progress is True:
        from tqdm import tqdm

        with tqdm(total=total, initial=done, unit=unit, unit_scale=False, dynamic_ncols=True, smoothing=0.1) as bar:
            yield bar.update
        return
    count = done

    def advance(more: int) -> None:
        nonlocal count
        count += more
        if callable(progress):
            progress(count, total)

    advance(0)
    yield advance
