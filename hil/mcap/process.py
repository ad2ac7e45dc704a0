"""The writing process of an MCAP recording: what it gets from the run, it writes; it never makes the run wait.

It is nicer than the run while the clock runs (it yields most of a core to whoever wants it) and leaves Ctrl-C to its parent.
When the pipe closes without an end, the run was killed: what came is written and the file is closed without its tail.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from hil.link.answer import open_answer
from hil.link.protocol import MAX_ARRAYS, MAX_META_BYTES, MAX_PART_BYTES, open_message
from hil.mcap.file import FLUSH_S, McapFile
from hil.mcap.notes import open_frame_facts
from hil.mcap.topics import Selection
from hil.recordings.rows import ROW, from_rows
from perception.prediction import Prediction
from scenes.taxonomy import TAXONOMY
from sim.frame import Frame, Truth

# From the first frame to the last the run comes first; where that is not allowed the process stays as nice as it is.
_NICENESS = {"begin": 5, "end": 0}
_BEHIND_NS = 10**9  # a frame that waited for longer is written without pictures that are in the file already
_MAX_HEAD_BYTES = 2**28
_MAPS = (("rgb", np.uint8), ("depth_m", np.float32), ("semantic", np.uint8), ("instance", np.uint16))


def write_in_process(connection: Connection, path: str, selection: Selection, opened_utc_ns: int) -> None:
    """Serves one recording: messages in; out, when it is ready and when it ends, {"fault": sentence or None}; `left_out`
    with the last: frames whose pictures, being in the file already, were not written again for want of time.

    Until the run begins the file lies beside its path, so that a run that never begins leaves an older file as it was.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    fault: str | None = None
    left_out = 0
    file: McapFile | None = None
    try:
        staging = staging_path(Path(path))
        file = McapFile(staging, selection=selection, opened_utc_ns=opened_utc_ns)
        connection.send_bytes(json.dumps({"fault": None}).encode())
        _serve(connection, file, lambda: staging.replace(path))
        file.close()
        left_out = file.left_out
    except Exception as error:  # whatever goes wrong ends the recording, and is told
        fault = f"{getattr(error, 'strerror', None) or error or type(error).__name__}"
        if file is not None:
            with contextlib.suppress(OSError):
                file.abandon()
    with contextlib.suppress(OSError):
        connection.send_bytes(json.dumps({"fault": fault, "left_out": left_out}).encode())
    connection.close()


def staging_path(path: Path) -> Path:
    """Returns where the file of `path` lies until its run begins."""
    return path.with_name(f".{path.name}.part")


def image_parts(index: int, frame: Frame, of: int, facts: bytes) -> list[Any]:
    """Returns the parts of an image for the process; `facts` are those of `pack_frame_facts`."""
    arrays = (frame.rgb, frame.truth.depth_m, frame.truth.semantic, frame.truth.instance)
    head = msgpack.packb({"do": "image", "index": index, "of": of, "facts": facts})
    return [head, *(np.ascontiguousarray(array).data.cast("B") for array in arrays)]


def _serve(connection: Connection, file: McapFile, begun: Callable[[], object]) -> None:
    while True:
        try:
            if not connection.poll(FLUSH_S):
                file.flush_in_time()
                continue
            head = msgpack.unpackb(connection.recv_bytes(_MAX_HEAD_BYTES), max_bin_len=_MAX_HEAD_BYTES)
            if head["do"] == "begin":
                begun()
            if head["do"] in _NICENESS:
                _be_nice(_NICENESS[head["do"]])
            if not _obey(head, connection, file):
                return
        except EOFError:
            return


def _be_nice(niceness: int) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _obey(head: Mapping[str, Any], connection: Connection, file: McapFile) -> bool:
    if head["do"] == "image":
        file.image(head["index"], _frame(head["facts"], connection), head["of"])
    elif head["do"] == "begin":
        file.begin(json.loads(head["json"]))
    elif head["do"] == "frame":
        (record,) = from_rows(np.frombuffer(head["row"], ROW), [] if head["reason"] is None else [head["reason"]])
        file.behind = time.monotonic_ns() - head["handed_ns"] > _BEHIND_NS
        prediction = _prediction(head["parts"], head["size"], connection) if head["parts"] else None
        file.write(record, prediction, repeats=head["repeats"], maps_lost=head["maps_lost"])
    elif head["do"] == "end":
        file.end(json.loads(head["json"]))
        return False
    return True


def _frame(facts: bytes, connection: Connection) -> Frame:
    name, time_s, camera, objects = open_frame_facts(facts)
    maps: dict[str, Any] = {
        key: np.frombuffer(connection.recv_bytes(4 * MAX_PART_BYTES), kind).reshape(camera.height, camera.width, -1)
        for key, kind in _MAPS
    }
    rgb = maps.pop("rgb")
    truth: dict[str, Any] = {key: array[..., 0] for key, array in maps.items()}
    return Frame(name=name, rgb=rgb, camera=camera, truth=Truth(objects=objects, **truth), time_s=time_s)


def _prediction(parts: int, size: list[int], connection: Connection) -> Prediction:
    if parts > 2 + MAX_ARRAYS:
        raise ValueError(f"an answer of {parts} parts")
    message = open_message([connection.recv_bytes(MAX_PART_BYTES + MAX_META_BYTES) for _ in range(parts)])
    prediction, _ = open_answer(message, size=(size[0], size[1]), categories=len(TAXONOMY))
    return prediction
