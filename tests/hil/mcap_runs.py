"""A run with every outcome and odd numbers everywhere, and its MCAP file with figures as `rehearse hil --mcap` leaves it."""

import numpy as np

from hil.figures.latency import summarize
from hil.figures.quality import score_answers
from hil.figures.replay import figures_of
from hil.figures.score_table import pack_scores
from hil.mcap.file import McapFile
from hil.mcap.keep import keep_figures_in_mcap
from hil.mcap.topics import parse_selection
from hil.recordings.table import head_of, tail_of
from hil.session import OUTCOMES
from hil.verdict import judge
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.transforms import Pose
from tests.hil.conftest import make_frame
from tests.hil.records import answered, missed, session

FRAMES = [make_frame(i) for i in range(3)]
NAMES = ["clip-0000", "clip-0001", "clip-0002"]
ALL = parse_selection("all")
OPENED_NS = 1_704_067_190_000_000_000


def answer(frame, shift=0):
    ids = np.where(np.roll(frame.rgb[..., 0], shift) > 100, 1, 2).astype(np.int32)
    box = OrientedBox(Pose((0.1, -0.2, 1 / 3)), (0.1, 0.2, 0.3))
    segments = (
        Segment(id=1, category_id=6, score=1 / 3, depth_m=2.0, box_camera=box),
        Segment(id=2, category_id=3, score=0.1, depth_m=1.9),
    )
    depth = (1.9 + frame.rgb[..., 1].astype(np.float32) / 1000).astype(np.float32)
    return Prediction(segment_id=ids, segments=segments, depth_m=depth)


def made(count=90, **changes):
    """A run whose equal answers to one image are one object, as the runner has them."""
    records = [answered(0, 0.2, warm_up=True), answered(1, 1 / 30), answered(2, 0.1, late=True, image=1)]
    records += [missed(3 + i, outcome, image=i % 3) for i, outcome in enumerate(OUTCOMES[2:])]
    records += [answered(7 + i, 0.030 + i / 7e3, image=i % 3, lateness_s=i / 1e6) for i in range(count)]
    known = {(i, k): answer(FRAMES[i], k) for i in range(3) for k in range(2)}
    predictions = {r.seq: known[r.image, (r.seq // 20) % 2] for r in records if r.return_ns is not None}
    rule = {"rule": {"cap_s": 60.0, "windows": 3}, "frames": 1, "settled": True}
    samples = {"samples": [{"at_ns": 10**12 + 5, "rss_bytes": 10**7}]}
    return session(records, predictions=predictions, warm_up=rule, images=NAMES, telemetry=samples, **changes)


def write(path, some, *, selection=ALL, images=True, close=True, end=True):
    file = McapFile(path, selection=selection, opened_utc_ns=OPENED_NS)
    for index, frame in enumerate(FRAMES if images else []):
        file.image(index, frame, len(FRAMES))
    file.begin(head_of(some))
    for record in some.frames:
        file.frame(record, some.predictions.get(record.seq))
    if end:
        file.end(tail_of(some))
    if close:
        file.close()
    return file


def figures(some, frames=FRAMES):
    answers, latency = score_answers(some, frames), summarize(some)
    return figures_of(some, latency, judge(some, report=latency), answers.quality()), pack_scores(answers)


def reported(path, some, **kinds):
    write(path, some, **kinds)
    made_figures, scores = figures(some)
    keep_figures_in_mcap(path, some, made_figures, scores)
    return made_figures
