"""The sha256 of a frame's files by name, in less than a third of the memory of a dict: what a manifest mostly is."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache

# All frames of a data set have files of the same names but for the frame's number, so a frame keeps the number and the
# bytes of its digests alone; the names without numbers are kept once. Names that have no such form are kept as they are.

_NUMBERED = re.compile(r"(?P<head>.+_)(?P<number>\d{4,})(?P<tail>\.[a-z0-9]+)")
_SHA256_BYTES = 32
_Form = tuple[tuple[str, str], ...]


class Digests(Mapping[str, str]):
    """A read-only mapping of file names to sha256 in hex, equal to the dict that it was made from and in its order."""

    __slots__ = ("_data", "_form", "_number")

    def __init__(self, files: Mapping[str, str]) -> None:
        """Raises ValueError for a digest that is no sha256 in lower case."""
        self._number, self._form = _split(tuple(files))
        self._data = b"".join(bytes.fromhex(digest) for digest in files.values())
        if len(self._data) != _SHA256_BYTES * len(files) or any(d != d.lower() or len(d) != 64 for d in files.values()):
            raise ValueError("a digest is no sha256 of 64 hexadecimal digits")

    def __getitem__(self, name: str) -> str:
        for k, known in enumerate(self):
            if known == name:
                return self._digest(k)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (f"{head}{self._number}{tail}" for head, tail in self._form)

    def __len__(self) -> int:
        return len(self._form)

    def __hash__(self) -> int:
        return hash((self._number, self._form, self._data))

    def __repr__(self) -> str:
        return f"Digests({self.to_dict()!r})"

    def __reduce__(self) -> tuple[type[Digests], tuple[dict[str, str]]]:
        return Digests, (self.to_dict(),)

    def to_dict(self) -> dict[str, str]:
        """Returns a plain dict."""
        return {name: self._digest(k) for k, name in enumerate(self)}

    def _digest(self, k: int) -> str:
        return self._data[_SHA256_BYTES * k : _SHA256_BYTES * (k + 1)].hex()


def _split(names: tuple[str, ...]) -> tuple[str, _Form]:
    """Returns the number that all names share, and each name's text before and after it; "" where they share none."""
    found = [_NUMBERED.fullmatch(name) for name in names]
    numbers = {match["number"] for match in found if match}
    if len(numbers) == 1 and all(found):
        return numbers.pop(), _kept_once(tuple((match["head"], match["tail"]) for match in found if match))
    return "", _kept_once(tuple((name, "") for name in names))


@lru_cache(maxsize=256)
def _kept_once(form: _Form) -> _Form:
    return tuple((sys.intern(head), sys.intern(tail)) for head, tail in form)
