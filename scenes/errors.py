"""Every error that Rehearse raises on purpose carries one sentence: what was expected, what came, where, what to do.

    RehearseError
    |-- UnknownNameError   (LookupError)   a suite, split, category, backend or engine that does not exist
    |-- SceneError         (ValueError)    a scene that cannot be made or is not valid
    |   `-- LayoutError                    one attempt at a scene for which no layout was found; the next may do
    |-- StageError         (ValueError)    an OpenUSD stage that cannot be written or read
    |-- BackendError       (RuntimeError)  a simulator or renderer that cannot run here
    |-- DatasetError       (ValueError)    a data set or prediction folder that is missing, foreign or damaged
    |-- ProofError         (ValueError)    labels that an independent check contradicts
    |-- SensorError        (ValueError)    a sensor profile that cannot be read or makes no sense
    |-- EngineError        (ValueError)    an engine file that cannot be loaded or run
    |   `-- EngineLostError                an engine whose device needs a new process; no later call can succeed
    |-- TrainingError      (ValueError)    a training run that cannot start or go on
    `-- LinkError          (RuntimeError)  an agent that cannot be reached, or that stopped answering

The command line prints the sentence and exits with status 2; a library caller may catch either side of each pair.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RehearseError(Exception):
    """The base of every error that is meant to be read by a person."""


class UnknownNameError(RehearseError, LookupError):
    """A name that is not in a closed list; the message lists the closest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self._arguments = kind, name, (known := sorted(known))
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
        super().__init__(f"Unknown {kind} {name!r}; known are: {', '.join(known)}.{hint}")

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        return UnknownNameError, self._arguments  # so that a worker process can hand it to its parent


class SceneError(RehearseError, ValueError):
    """A scene that cannot be made or does not hold together."""


class LayoutError(SceneError):
    """An attempt at a scene whose things or cameras found no place; another attempt may succeed."""


class StageError(RehearseError, ValueError):
    """An OpenUSD stage that cannot be written or read."""


class BackendError(RehearseError, RuntimeError):
    """A simulator or renderer that cannot run on this machine."""


class DatasetError(RehearseError, ValueError):
    """A data set or prediction folder that is missing, foreign or damaged."""


class ProofError(RehearseError, ValueError):
    """Labels that an independent check contradicts; nothing was written of them."""


class SensorError(RehearseError, ValueError):
    """A sensor profile that cannot be read or makes no sense."""


class EngineError(RehearseError, ValueError):
    """An engine file that cannot be loaded or run."""


class EngineLostError(EngineError):
    """An engine whose device has failed for good: no later call in this process can succeed, a new process may."""


class TrainingError(RehearseError, ValueError):
    """A training run that cannot start or go on."""


class LinkError(RehearseError, RuntimeError):
    """An agent that cannot be reached, or that stopped answering."""
