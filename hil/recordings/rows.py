"""One due frame is one row of fixed size: what came of it and when, in integers, so that nothing is rounded.

Little endian, no padding. Stamps are ns; NEVER stands for what did not happen. `reason` counts into the recording's list of
reasons, from 1; 0 = none. The dtype is written into every recording, so a reader needs no copy of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from hil.session import OUTCOMES, FrameRecord

NEVER = -(2**63)
STAMPS = tuple(f.name for f in fields(FrameRecord) if f.name.endswith("_ns"))
ROW = np.dtype(
    [("seq", "<i8"), ("image", "<i4"), ("warm_up", "u1"), ("outcome", "u1"), ("reason", "<u2"), *((s, "<i8") for s in STAMPS)]
)


def to_row(record: FrameRecord, reason: int) -> NDArray[np.void]:
    """Returns a record as one row of ROW, (1,)."""
    row = np.zeros(1, ROW)
    row["seq"], row["image"], row["warm_up"] = record.seq, record.image, record.warm_up
    row["outcome"], row["reason"] = OUTCOMES.index(record.outcome), reason
    for name in STAMPS:
        value = getattr(record, name)
        row[name] = NEVER if value is None else value
    return row


def from_rows(rows: NDArray[np.void], reasons: Sequence[str]) -> tuple[FrameRecord, ...]:
    """Returns the records in the order of their frames; raises ValueError where a row is not one."""
    ordered = rows[np.argsort(rows["seq"], kind="stable")]
    if len(ordered) and (ordered["outcome"].max() >= len(OUTCOMES) or ordered["reason"].max() > len(reasons)):
        raise ValueError("a row has an outcome or a reason that is not known")
    return tuple(_record(dict(zip(ROW.names or (), row, strict=True)), reasons) for row in ordered.tolist())


def _record(row: dict[str, int], reasons: Sequence[str]) -> FrameRecord:
    stamps = {name: None if row[name] == NEVER else row[name] for name in STAMPS}
    due_ns = stamps.pop("due_ns")
    if due_ns is None:
        raise ValueError(f"frame {row['seq']} was never due")
    return FrameRecord(
        seq=row["seq"], image=row["image"], warm_up=bool(row["warm_up"]), outcome=OUTCOMES[row["outcome"]], due_ns=due_ns,
        reason=reasons[row["reason"] - 1] if row["reason"] else None, **stamps,
    )  # fmt: skip
