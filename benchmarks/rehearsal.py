"""A rehearsal judges one session: its latency, its quality and its verdict, from the same frames."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.console import text_table
from benchmarks.sources import Source, Wanted, describe_source, open_source
from hil.figures.latency import LatencyReport, summarize
from hil.figures.quality import Quality, score_answers
from hil.figures.replay import figures_of, keep_figures
from hil.host.camera import EveryNth, NamedFrames, camera_every
from hil.host.runner import FrameSource
from hil.junit import junit_xml
from hil.profiles import Profile
from hil.recordings.table import FILE_NAME as RECORDING
from hil.recordings.table import TableWriter, record_session
from hil.session import Session, save_session
from hil.verdict import Verdict, judge
from perception.prediction import Prediction
from perception.scoring.statistics import Estimate
from scenes.files import write_whole
from sim.dataset import Dataset
from sim.frame import Frame
from sim.manifest import FILE_NAME

Say = Callable[[str], None]

SHOWN_FRAMES = 4
COMPARED = (("pq", "PQ"), ("dvpq", "DVPQ"), ("absrel_image_mean", "depth AbsRel"), ("box_ap25", "3D box AP at 0.25"))
SUMMARY = (
    ("pq", "PQ"), ("sq", "SQ"), ("rq", "RQ"), ("pq_things", "PQ of things"), ("dvpq", "DVPQ"), ("miou", "mIoU"),
    ("absrel_image_mean", "depth AbsRel"), ("rmse_m_image_mean", "depth RMSE"), ("delta1_image_mean", "depth delta1"),
    ("box_iou_mean", "3D box IoU"), ("box_ap25", "3D box AP at 0.25"), ("box_ap50", "3D box AP at 0.50"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """What one run on the clock said of a device, and where it was written.

    `quality` scores every due frame twice: with whatever came back, and with what came within the deadline; a frame
    without an answer counts as all missed. `commands` are the lines that make the same again.
    """

    session: Session
    latency: LatencyReport
    verdict: Verdict
    quality: Quality
    folder: Path
    commands: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the verdict is PASS."""
        return self.verdict.status == "PASS"

    @property
    def report_path(self) -> Path:
        """Where the report is, or will be."""
        return self.folder / "report.html"

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values: verdict, outcomes, latency and scores."""
        return {
            **figures_of(self.session, self.latency, self.verdict, self.quality),
            "profile": self.session.profile,
            "claim": self.session.claim,
            "rate_hz": self.session.rate_hz,
            "deadline_ms": self.session.deadline_s * 1e3,
            "dataset": dict(self.session.dataset),
            "agent": dict(self.session.agent),
            "host": dict(self.session.host),
            "link": dict(self.session.link),
            "report": str(self.report_path),
        }

    def describe(self) -> str:
        """Returns the summary that a command prints."""
        outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self.session.outcomes().items() if count)
        marks = [f"p{100 * q.p:g} {milliseconds(q.value_s)}" for q in self.latency.quantiles]
        marks.append(f"max {milliseconds(self.latency.max_s)}")
        rows = [("frames due", f"{len(self.session.due)}: {outcomes}"), ("end-to-end latency", ", ".join(marks))]
        shown = [f"{100 * c.p:g} %" for c in self.latency.claims if c.holds]
        bound = f"{self.latency.misses}, at most {100 * self.latency.miss_bound_99:.3g} % with 99 % confidence"
        rows.insert(1, ("deadlines missed", f"{bound}; shown on time: {shown[-1] if shown else 'nothing yet'}"))
        rows += [(label, f"{self.quality.offline[key]}  (n = {self.quality.offline[key].n})") for key, label in SUMMARY]
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {value}" for name, value in rows]
        lines += ["", *text_table(self._columns())]
        lines += ["", *self.verdict.marks] if self.verdict.marks else []
        lines += ["", f"{self.verdict.status}: {self.verdict.reason}", f"Report: {self.report_path}"]
        return "\n".join(lines)

    def _columns(self) -> list[tuple[str, ...]]:
        """Returns the rows of the table of all columns of quality: what the robot got beside what the engine can do."""
        shown = [(name, scores) for name, scores in self.quality.columns.items() if scores is not None]
        heads = ("quality", *(name for name, _ in shown))
        return [heads, *((label, *(_short(scores[key]) for _, scores in shown)) for key, label in COMPARED)]


def rehearse_device(
    source: Source,
    device: str,
    *,
    rate_hz: float,
    profile: Profile,
    out: Path,
    say: Say,
    commands: tuple[str, ...] = (),
    every: int | None = None,
    lockstep: bool = False,
    link: Mapping[str, Any] | None = None,
    mcap: str | None = None,
) -> Rehearsal:
    """Streams frames to an agent on the clock, judges what came back, writes the report; takes as long as the profile.

    `source` is a data set's folder, the MCAP recording of a run, or a film to render. The camera takes one of `every` frames
    of a data set's clip; by default as many go by as the clips' own rate asks for. With `lockstep` simulated time waits for
    the engine. `link` holds what `run_session` takes of keys, packing and idle cores. `mcap` says what an MCAP recording has
    (`hil.mcap.topics`), None = there is none. Raises DatasetError for the frames, LinkError for the agent and BackendError
    for a renderer that cannot keep up.
    """
    from benchmarks.live_view import shown
    from benchmarks.recorded import mcap_recording
    from hil.host.lockstep import run_lockstep
    from hil.host.runner import run_session

    wanted = Wanted(rate_hz=rate_hz, profile=profile, every=every, lockstep=lockstep, mcap=mcap is not None)
    with open_source(source, wanted, device=device, out=out, link=link or {}) as (frames, facts):
        if facts.get("speed", 1) != 1:
            say(f"note: clips of {facts['clip_hz']:g} Hz are played at {facts['speed']:g} times their own speed")
        what = describe_source(source, len(frames), lockstep=lockstep)
        say(f"streaming {what} at {rate_hz:g} FPS for {profile.duration_s:g} s to {device}")
        planned: dict[str, Any] = {
            "device": device, "rate_hz": rate_hz, "duration_s": profile.duration_s, "claim": profile.claim,
            "deadline_s": profile.deadline_s, "profile": profile.name, "about": facts, **(link or {}),
        }  # fmt: skip
        measured = round(rate_hz * profile.duration_s)
        with shown(
            device=device, rate_hz=rate_hz, deadline_s=profile.deadline_s, claim=profile.claim, frames=measured
        ) as progress:
            if lockstep:
                session = run_lockstep(frames, sinks=[TableWriter(out / RECORDING)], progress=progress, **planned)
            else:
                with mcap_recording(frames, out, mcap) as (watched, sinks):
                    recording = [TableWriter(out / RECORDING), *sinks]
                    session = run_session(
                        watched, warm_up=profile.warm_up, sinks=recording, progress=progress, **planned
                    )
        recorded = not lockstep and not session.recording_faults
        return judge_session(
            session, frames, out=out, say=say, commands=commands, recorded=recorded, mcap=mcap is not None
        )


def judge_session(
    session: Session,
    dataset: FrameSource,
    *,
    out: Path,
    say: Say,
    commands: tuple[str, ...] = (),
    recorded: bool = False,
    mcap: bool = False,
) -> Rehearsal:
    """Scores a session that still holds its predictions; writes recording, json files, report and pictures.png into `out`.

    `recorded` says that its frames are in the recording already, `mcap` that there is one in MCAP too.
    """
    from benchmarks._gallery import picture_sheet
    from benchmarks._worst import worst_frames
    from benchmarks.recorded import keep_in_mcap
    from benchmarks.report import render_report
    from hil.figures.score_table import pack_scores
    from sim.pictures import png_bytes

    out.mkdir(parents=True, exist_ok=True)
    say("scoring what came back")
    started = time.monotonic()
    answers, latency = score_answers(session, dataset), summarize(session)
    rehearsal = Rehearsal(
        session=session,
        latency=latency,
        verdict=judge(session, report=latency),
        quality=answers.quality(),
        folder=out,
        commands=commands,
    )
    say(f"scored in {time.monotonic() - started:.1f} s; writing the report")
    save_session(session, out / "session.json")
    if not recorded:
        record_session(session, out / RECORDING)
    figures = figures_of(session, latency, rehearsal.verdict, rehearsal.quality)
    scores = pack_scores(answers)
    keep_figures(out / RECORDING, figures, scores)
    if mcap:
        keep_in_mcap(out, session, figures, scores, say)
    write_whole(out / "scores.json", json.dumps(rehearsal.to_dict(), indent=2, allow_nan=False))
    write_whole(out / "junit.xml", junit_xml(rehearsal.verdict, session))
    shown = _shown(session, dataset)
    worst = worst_frames(session, answers, dataset)
    write_whole(rehearsal.report_path, render_report(rehearsal, shown, worst))
    if shown:
        write_whole(out / "pictures.png", png_bytes(picture_sheet(shown)))
    return rehearsal


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Returns what a report says of a data set; `digest` is the sha256 of its manifest, so it names every byte of it."""
    manifest = dataset.manifest
    return {
        "suite": manifest.suite,
        "suite_version": manifest.suite_version,
        "split": manifest.split,
        "seed": manifest.seed,
        "size": list(manifest.size),
        "generator": f"rehearse {manifest.generator.rehearse}, {manifest.generator.backend} {manifest.generator.backend_version}",
        "scenes_remade": sum(manifest.rejected.values()),
        "digest": hashlib.sha256((dataset.path / FILE_NAME).read_bytes()).hexdigest(),
    }


def play(dataset: NamedFrames, *, rate_hz: float, every: int | None) -> tuple[FrameSource, dict[str, Any]]:
    """Returns the frames that a camera of `rate_hz` takes of a data set, and the facts of it: how many go by, at what speed.

    `every` None takes the number of frames that makes clips play nearest to their own speed. At a speed other than 1 things
    move slower or faster than they were simulated to.
    """
    manifest = getattr(dataset, "manifest", None)  # a recording has none, and is played as it was
    capture = {} if manifest is None else manifest.capture
    clip_hz = float(capture["rate_hz"]) if capture.get("sequence", 1) > 1 else None
    taken = camera_every(clip_hz, rate_hz) if every is None else every
    source: FrameSource = dataset if taken == 1 else EveryNth(dataset, taken)
    if clip_hz is None:
        return source, {}
    return source, {"clip_hz": clip_hz, "camera_every": taken, "speed": round(rate_hz * taken / clip_hz, 6)}


def _short(figure: Estimate) -> str:
    """Returns a figure without its interval, for a table of many."""
    return "-" if figure.value is None else str(replace(figure, low=None, high=None))


def milliseconds(seconds: float) -> str:
    """Returns a time as text in milliseconds; an infinite one is `no answer`."""
    return "no answer" if seconds == float("inf") else f"{seconds * 1e3:.1f} ms"


def _shown(session: Session, dataset: FrameSource) -> list[tuple[Frame, Prediction]]:
    """Returns up to SHOWN_FRAMES answered images with their first answers, over the whole data set: several scenes and views."""
    first: dict[int, Prediction] = {}
    for record in session.due:
        if record.seq in session.predictions:
            first.setdefault(record.image, session.predictions[record.seq])
    images = sorted(first)
    count = min(SHOWN_FRAMES, len(images))
    chosen = [images[k * (len(images) - 1) // max(count - 1, 1)] for k in range(count)]
    return [(dataset[i], first[i]) for i in chosen]
