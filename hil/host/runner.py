"""The runner plays a camera: it streams a data set to an agent on the clock, and returns what came of every frame."""

from __future__ import annotations

import datetime as dt
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from hil.agent.staleness import STALL_S
from hil.device import device_facts
from hil.figures.clock import ClockFit
from hil.host.client import Client
from hil.host.images import Filming, Image, Images, Loaded
from hil.host.reconnect import RECONNECT_S
from hil.host.recorder import Recorder, Sink
from hil.host.stream import PING_EVERY_S, Stream
from hil.host.warm_up import WarmUp
from hil.link.clock_socket import ClockProbe
from hil.link.packer import Compress
from hil.link.request import DISTORTION, pack_frame
from hil.link.sockets import DEFAULT_ADDRESS, is_loopback, keys_for_host
from hil.link.terms import agree
from hil.profiles import DEADLINE_S
from hil.progress import Progress, told
from hil.quiet import AS_IT_IS, awake, hurry_transport, no_collection, real_time, short_switch_interval
from hil.recordings.table import WAITS, tail_of
from hil.session import Session
from sim.frame import Frame

WARM_UP = WarmUp()
_NO_LENS = (
    "The images have a lens's distortion and the agent is of a version that takes them as a pinhole's, so its 3D boxes "
    "are off towards the edges: update Rehearse on the device."
)


class FrameSource(Protocol):
    """What a run needs of a data set: frames by index."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Frame: ...


def run_session(
    dataset: FrameSource,
    *,
    device: str = DEFAULT_ADDRESS,
    rate_hz: float = 15.0,
    duration_s: float = 20.0,
    warm_up: WarmUp = WARM_UP,
    deadline_s: float = DEADLINE_S,
    credit: int = 2,
    claim: float = 0.95,
    profile: str = "custom",
    about: Mapping[str, Any] | None = None,
    sinks: Sequence[Sink] = (),
    connect_timeout_s: float = 3.0,
    reconnect_s: float = RECONNECT_S,
    keys: Path | None = None,
    insecure: bool = False,
    compress: Compress = "auto",
    progress: Callable[[Progress], None] | None = None,
    stream: type[Stream] = Stream,
    stay_awake: bool = True,
) -> Session:
    """Streams a data set to an agent, over and over, and returns what came of every frame.

    `claim` is the P(on time) that the run is to show; the verdict judges it. `about` are facts of the data set. Every
    frame goes to the `sinks` as soon as it has its outcome, off the timed path. A device elsewhere needs `keys` (a folder of
    `hil.link.keys`) or `insecure`; `compress` says whether answers are packed, `auto` where that makes them come sooner. Loads
    the images that it needs first. `stream` says when frames leave. Meanwhile this machine's cores `stay_awake` where the
    system lets them (`hil.quiet.awake`). An agent that dies or falls silent is found within a second; the run goes on, its
    frames lost, and takes the agent back as soon as it answers (`outages`). Where that takes longer than `reconnect_s`, or the
    agent was stopped by its user, or it comes back with another engine, the session has a `fault` and its remaining frames are
    lost. Raises LinkError where no session can begin.
    """
    measured = round(rate_hz * duration_s)
    if not rate_hz > 0 or not deadline_s > 0 or credit < 1 or measured < 1 or len(dataset) < 1 or not 0 < claim < 1:
        raise ValueError(
            f"A run needs frames, a positive rate, deadline and credit, a claim between 0 and 1 and at least one frame in "
            f"its duration; got {len(dataset)} frames, {rate_hz=}, {duration_s=}, {deadline_s=}, {credit=}, {claim=}."
        )
    planned: dict[str, Any] = {
        "device": device, "rate_hz": rate_hz, "deadline_s": deadline_s, "duration_s": duration_s, "credit": credit,
        "claim": claim, "profile": profile,
    }  # fmt: skip
    most = warm_up.most(rate_hz) + measured
    own = keys_for_host(keys, device, insecure=insecure)
    lively = awake() if stay_awake else nullcontext(AS_IT_IS)
    with Client(device, timeout_s=connect_timeout_s, stale_after_s=1 / rate_hz + STALL_S, keys=own) as client, lively as idle:
        link = agree(client, compress)
        images: Images = dataset.start(most) if isinstance(dataset, Filming) else _load_images(dataset, most, client)
        facts = {**dict(about or {}), "frames": len(dataset)}
        started_utc = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        with real_time() as priority:
            host = {**device_facts(), "priority": priority, "idle": idle}
        planned |= {"started_utc": started_utc, "agent": client.facts, "host": host}
        recorder = Recorder(sinks)
        try:
            recorder.begin({**planned, **({WAITS: True} if stream.waits else {})})
            with ClockProbe(device, client.facts, keys=own) as probe:
                run = stream(client, images, rate_hz, warm_up, measured, deadline_s, credit, recorder.put, reconnect_s)
                hurry_transport()
                with no_collection(), short_switch_interval(), told(progress, run.progress), real_time():
                    run.loop()
                run.count_agent()
            images.stop()
            facts |= images.facts()
            session = _session(planned, run, warm_up, facts, probe.fit())
            session = replace(session, images=images.names(), link={**link, "answers": run.packing})
            if images.fault is not None:  # what the host did is no fault of the agent
                session = replace(session, fault=None)
            if recorder.lost:
                session = replace(session, recording_faults=(f"{recorder.lost} frames came faster than it was written",))
            recorder.end(tail_of(session))
        finally:
            recorder.close()
    return replace(session, recording_faults=(*session.recording_faults, *recorder.faults))


def _session(
    planned: Mapping[str, Any], run: Stream, warm_up: WarmUp, dataset: Mapping[str, Any], clock: ClockFit
) -> Session:
    same_clock, note = _compare_clocks(planned["device"], planned["agent"], clock)
    return Session(
        **planned, frames=run.ledger.records(), same_clock=same_clock, clock_note=note, clock=clock.to_dict(),
        counters=run.counters, telemetry={"samples": run.telemetry, "engine_events": run.engine_events},
        fault=run.fault, outages=run.outages, dataset=dataset,
        predictions=run.answers.kept, scored_until=run.answers.full_from,
        warm_up={"rule": warm_up.to_dict(), "frames": run.ledger.warm_up, "settled": run.ledger.settled},
    )  # fmt: skip


def _load_images(dataset: FrameSource, count: int, client: Client) -> Loaded:
    """Packs the images before the clock starts; pings between them, so that the lease survives a large data set."""
    images: list[Image] = []
    pinged = time.monotonic()
    for index in range(min(len(dataset), count)):
        frame = dataset[index]
        camera = frame.camera
        lens = camera.distortion
        if lens is not None and not images and DISTORTION not in _takes(client.facts):
            warnings.warn(_NO_LENS, stacklevel=2)
        body = pack_frame(frame.rgb, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy, distortion=lens)
        images.append(Image(body=body, size=(camera.height, camera.width), name=frame.name))
        if time.monotonic() - pinged > PING_EVERY_S:
            client.ping()
            pinged = time.monotonic()
    return Loaded(images)


def _takes(facts: dict[str, object]) -> list[object]:
    """Returns what an agent says that it takes beside the image; one of before says nothing."""
    takes = facts.get("takes")
    return takes if isinstance(takes, list) else []


def _compare_clocks(device: str, facts: dict[str, object], clock: ClockFit) -> tuple[bool, str]:
    """Returns whether both stamp with the same clock, which the comparisons must not contradict, and a sentence on it."""
    theirs, ours = facts.get("device"), device_facts()["boot"]
    claimed = is_loopback(device) and isinstance(theirs, dict) and ours is not None and theirs.get("boot") == ours
    if claimed and all(abs(m.offset_ns) <= m.bound_ns for m in clock.minima):
        return True, "host and agent share one monotonic clock (same boot of the same machine, over loopback)"
    if clock.steps:
        return False, (
            "uplink and downlink are not available: a clock was stepped during the run; end to end is the host's clock "
            "alone and stays valid"
        )
    bound_ns, drift_ppm = clock.bound_ns, clock.drift_ppm
    if bound_ns is None or drift_ppm is None:
        return False, "uplink and downlink are not available: the agent has another clock, and it was not compared"
    return False, (
        f"uplink and downlink are known within {bound_ns / 1e3:.0f} us by {len(clock.minima)} windows of comparisons; the "
        f"agent's clock gains {drift_ppm:+.1f} ppm"
    )
