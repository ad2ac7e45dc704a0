"""What a run takes from a recording and leaves in one: frames to stream again, and an MCAP file beside the compact table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.host.camera import NamedFrames
from hil.host.recorder import Sink
from hil.host.runner import FrameSource
from hil.recordings.any_recording import is_mcap, need_mcap
from hil.session import Session
from scenes.errors import DatasetError
from sim.dataset import Dataset


def open_frames(path: Path) -> NamedFrames:
    """Opens a data set's folder, or the MCAP recording of a run, whose images are streamed again; raises DatasetError."""
    if not is_mcap(path):
        return Dataset.open(path)
    need_mcap(f"Streaming {path}")
    from hil.mcap.source import McapFrames

    return McapFrames(path)


def source_facts(frames: FrameSource) -> dict[str, Any]:
    """Returns what a report says of a data set, or of the one that a recording had been made from."""
    from benchmarks.rehearsal import dataset_facts

    if isinstance(frames, Dataset):
        return dataset_facts(frames)
    from hil.mcap.source import McapFrames

    if not isinstance(frames, McapFrames):
        return {}
    tail = json.loads(frames.attachments.get("tail.json", b"{}"))
    digest = hashlib.sha256(frames.path.read_bytes()).hexdigest()
    known = {key: value for key, value in tail.get("dataset", {}).items() if key not in ("frames", "images_used", "digest")}
    truth = {} if frames.has_truth else {"truth": "not in the recording: nothing is scored"}
    return {**known, **truth, "recording": frames.path.name, "digest": digest}


@contextmanager
def mcap_recording(frames: FrameSource, out: Path, topics: str | None) -> Iterator[tuple[FrameSource, Sequence[Sink]]]:
    """Yields what to stream and the sinks of an MCAP recording; with `topics` None the frames as they are, and no sink.

    Raises DatasetError where its packages are not installed and UnknownNameError for topics that there are not.
    """
    if topics is None:
        yield frames, ()
        return
    need_mcap("An MCAP recording")
    from hil.mcap.keep import FILE_NAME
    from hil.mcap.sink import McapSink, Watched
    from hil.mcap.topics import parse_selection

    with McapSink(out / FILE_NAME, selection=parse_selection(topics)) as sink:
        yield Watched(frames, sink), (sink,)


def keep_in_mcap(out: Path, session: Session, figures: Mapping[str, Any], scores: bytes, say: Any) -> None:
    """Adds what was found to the MCAP recording; one that broke off during the run is left as it is, which is said."""
    from hil.mcap.keep import FILE_NAME, keep_figures_in_mcap

    try:
        keep_figures_in_mcap(out / FILE_NAME, session, figures, scores)
    except (DatasetError, OSError) as error:
        say(f"the figures are not in {FILE_NAME}: {error}")
