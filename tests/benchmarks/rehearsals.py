"""A rehearsal made by hand: a few frames with known answers, so that every figure of its report is known."""

import numpy as np

from benchmarks.rehearsal import Rehearsal
from hil.figures.latency import summarize
from hil.figures.quality import score_session
from hil.session import FrameRecord, Session
from hil.verdict import judge
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.camera import Camera, look_at
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, inverse
from sim.frame import Frame, ObjectTruth, Truth

CUP, TABLE = TAXONOMY.named("cup").id, TAXONOMY.named("table").id
MS = 1_000_000


def make_frame(index):
    eye = np.array([0.0, -1.0, 0.5])
    camera = Camera(
        name="camera_0", width=64, height=48, fx=60.0, fy=60.0, cx=31.5, cy=23.5, world_from_camera=look_at(eye, np.zeros(3))
    )
    semantic, instance = np.full((48, 64), TABLE, np.uint8), np.zeros((48, 64), np.uint16)
    depth = np.full((48, 64), 1.2, np.float32)
    semantic[20:30, 24:40], instance[20:30, 24:40], depth[20:30, 24:40] = CUP, 1, 1.0
    pixels = (24, 20, 39, 29)
    cup = ObjectTruth(
        instance_id=1,
        category_id=CUP,
        body_name="cup_1",
        visible_box_px=pixels,
        amodal_box_px=pixels,
        visible_fraction=1.0,
        box_world=OrientedBox(Pose((0.0, 0.0, 0.05)), (0.1, 0.1, 0.1)),
        world_from_body=Pose(),
    )
    truth = Truth(depth_m=depth, semantic=semantic, instance=instance, objects=(cup,))
    rgb = np.full((48, 64, 3), 20 * index, np.uint8)
    return Frame(name=f"tabletop-v1/test/seed0/{index:06d}/<b>view</b>", rgb=rgb, camera=camera, truth=truth)


def perfect(frame):
    truth = frame.truth
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    box = truth.objects[0].box_world.moved(camera_from_world)
    segments = (
        Segment(id=1, category_id=CUP, score=0.9, depth_m=1.0, box_camera=box),
        Segment(id=2, category_id=TABLE, score=0.9, depth_m=1.2),
    )
    ids = np.where(truth.instance > 0, 1, 2).astype(np.int32)
    return Prediction(segment_id=ids, segments=segments, depth_m=truth.depth_m.copy())


def make_session(frames, latencies_ms):
    """One due frame per latency at 15 FPS; None is a frame that was dropped."""
    records, predictions = [], {}
    for seq, latency in enumerate(latencies_ms):
        due, image = round(seq * 1e9 / 15), seq % len(frames)
        if latency is None:
            records.append(
                FrameRecord(seq=seq, image=image, warm_up=False, outcome="dropped", due_ns=due, reason="too <slow>")
            )
            continue
        parts = np.linspace(due, due + latency * MS, 10).astype(np.int64).tolist()
        names = ("send", "agent_receive", "agent_preprocess_start", "agent_infer_start", "agent_infer_end", "agent_post_end")
        stamps = {f"{name}_ns": value for name, value in zip(names, parts[2:8], strict=True)}
        records.append(
            FrameRecord(
                seq=seq, image=image, warm_up=False, outcome="on_time" if latency <= 66.7 else "late", due_ns=due, capture_ns=due,
                agent_send_ns=parts[7], host_receive_ns=parts[8], return_ns=due + round(latency * MS), **stamps,
            )
        )  # fmt: skip
        predictions[seq] = perfect(frames[image])
    return Session(
        device="tcp://127.0.0.1:5555", rate_hz=15.0, deadline_s=1 / 15, duration_s=len(latencies_ms) / 15, credit=2,
        started_utc="2026-01-01T00:00:00+00:00", frames=tuple(records), host={"cpu": "CPU & Co"}, same_clock=True,
        agent={"engine": {"name": "openvino", "digest": "abc123", "network": "panoptic-depthlab"}, "device": {}},
        clock_note="one clock", counters={}, dataset={"suite": "tabletop", "size": [64, 48]}, predictions=predictions,
    )  # fmt: skip


def make_rehearsal(folder, latencies_ms, scenes=9):
    frames = [make_frame(i) for i in range(scenes)]
    session = make_session(frames, latencies_ms)
    rehearsal = Rehearsal(
        session=session,
        latency=summarize(session),
        verdict=judge(session),
        quality=score_session(session, frames),
        folder=folder,
        commands=("rehearse demo",),
    )
    return rehearsal, frames
