"""What happens in time: the link, the device agent, the runner, latency and verdict. No simulator on the agent's side."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "DEFAULT_ADDRESS": "hil.link",
    "FrameRecord": "hil.session",
    "LatencyReport": "hil.latency",
    "Progress": "hil.progress",
    "ProtocolError": "hil.protocol",
    "Quality": "hil.quality",
    "Session": "hil.session",
    "Verdict": "hil.verdict",
    "WarmUp": "hil.warm_up",
    "judge": "hil.verdict",
    "latencies_s": "hil.session",
    "load_session": "hil.session",
    "print_progress": "hil.progress",
    "run_session": "hil.runner",
    "save_session": "hil.session",
    "score_session": "hil.quality",
    "serve": "hil.agent",
    "summarize": "hil.latency",
}

__all__ = [
    "DEFAULT_ADDRESS",
    "FrameRecord",
    "LatencyReport",
    "Progress",
    "ProtocolError",
    "Quality",
    "Session",
    "Verdict",
    "WarmUp",
    "judge",
    "latencies_s",
    "load_session",
    "print_progress",
    "run_session",
    "save_session",
    "score_session",
    "serve",
    "summarize",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
