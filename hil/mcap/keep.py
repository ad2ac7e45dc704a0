"""What is found out after a run joins its MCAP file: scores, figures, and the session as it was judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.mcap.append import append_attachments
from hil.mcap.file import FIGURES_NAME, SCORES_NAME, TAIL_NAME, McapFile
from hil.mcap.topics import Selection
from hil.recordings.table import head_of, tail_of
from hil.session import Session

FILE_NAME = "recording.mcap"


def keep_figures_in_mcap(path: Path, session: Session, figures: Mapping[str, Any], scores: bytes) -> None:
    """Adds to a closed file what was found; the session's faults were known only after it was closed.

    Raises DatasetError and OSError.
    """
    added = {
        TAIL_NAME: json.dumps(tail_of(session), allow_nan=False).encode(),
        SCORES_NAME: scores,
        FIGURES_NAME: json.dumps(figures, allow_nan=False).encode(),
    }
    append_attachments(path, added, at_ns=0, media_types={SCORES_NAME: "application/x-npz"})


def record_session_as_mcap(session: Session, path: Path, *, selection: Selection = Selection()) -> None:  # noqa: B008  # frozen
    """Writes a whole session, with the predictions that it holds, for one that was not recorded while it ran; raises OSError."""
    writer = McapFile(path, selection=selection)
    try:
        writer.begin(head_of(session))
        for record in session.frames:
            writer.frame(record, session.predictions.get(record.seq))
        writer.end(tail_of(session))
    finally:
        writer.close()
