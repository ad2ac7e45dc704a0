"""The lines of the live view, a pure function of a run's progress: rate, latency strip, misses, queue, device; no I/O."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hil.figures.claims import miss_bound, misses_allowed
from hil.progress import Progress, Tick

_GREEN, _YELLOW, _RED, _DIM, _BOLD, _RESET = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_HEAD = 9
_RATE_OVER_S = 5.0
# Seven steps up to the deadline, then: late, never answered, not answered yet.
_BLOCKS = ("▁▂▃▄▅▆▇", "█", "×", "·")
_ASCII = ("._-=+*%", "#", "x", " ")
_TOLD_COUNTERS = ("restart", "outage", "reconnect", "overrun", "protocol_errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is fixed during a run: what it measures, and what the terminal can show. `frames` are the measured ones."""

    device: str
    rate_hz: float
    deadline_ms: float
    claim: float
    frames: int
    colours: bool = True
    blocks: bool = True


def screen_lines(progress: Progress, look: Look, *, width: int) -> list[str]:
    """Returns the lines from top to bottom, none of them wider than `width` characters on the screen."""
    paint = _Paint(look, width)
    lines = [
        _title(progress, look, width, paint),
        _bar(progress, look, width, paint),
        paint.row("latency", strip(progress.recent, look, width=max(width - _HEAD, 8)), plain=False),
        paint.row("", _latency(progress, look)),
        paint.row("missed", *_missed(progress, look)),
        paint.row("rate", _rate(progress, look)),
        paint.row("device", _device(progress)),
    ]
    noted = [f"{name.replace('_', ' ')} {n}" for name, n in progress.counters.items() if n and _is_told(name)]
    return [*lines, *([paint.row("link", ", ".join(noted), _YELLOW)] if noted else [])]


def strip(recent: Sequence[Tick], look: Look, *, width: int) -> str:
    """Returns one character per frame, the newest at the right: its latency against the deadline, coloured by outcome."""
    steps, late, never, still_open = _BLOCKS if look.blocks else _ASCII
    drawn, before = [], ""
    for outcome, latency_ms in recent[-width:]:
        if outcome is None:
            mark, colour = still_open, _DIM
        elif latency_ms is None:
            mark, colour = never, _RED
        elif outcome == "late":
            mark, colour = late, _YELLOW
        else:
            step = min(int(latency_ms / look.deadline_ms * len(steps)), len(steps) - 1)
            mark, colour = steps[max(step, 0)], _GREEN
        drawn.append((colour if look.colours and colour != before else "") + mark)
        before = colour
    return "".join(drawn) + (_RESET if look.colours and drawn else "")


class _Paint:
    """Colours and clips one line."""

    def __init__(self, look: Look, width: int) -> None:
        self._colours, self._width = look.colours, width

    def row(self, head: str, text: str, colour: str = "", *, plain: bool = True) -> str:
        text = text[: self._width - _HEAD] if plain else text
        return self.dyed(f"{head:<{_HEAD}}", _DIM) + self.dyed(text, colour)

    def dyed(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours and colour and text.strip() else text


def _title(progress: Progress, look: Look, width: int, paint: _Paint) -> str:
    left = f"rehearse {look.device}"
    right = f"{progress.phase}, {_clock(progress.remaining_s)} left" if progress.phase != "finished" else "finished"
    gap = width - len(left) - len(right)
    if gap < 2:
        return paint.dyed(right[:width], _BOLD)
    return left + " " * gap + paint.dyed(right, _BOLD)


def _bar(progress: Progress, look: Look, width: int, paint: _Paint) -> str:
    share = min(progress.due / max(look.frames, 1), 1.0) if progress.phase != "warm-up" else 0.0
    full, track = ("━", "─") if look.blocks else ("=", "-")
    done = round(share * width)
    return paint.dyed(full * done, _GREEN) + paint.dyed(track * (width - done), _DIM)


def _latency(progress: Progress, look: Look) -> str:
    last = next((ms for outcome, ms in reversed(progress.recent) if outcome is not None and ms is not None), None)
    parts = [f"{name} {_ms(value)}" for name, value in (("p50", progress.p50_ms), ("p95", progress.p95_ms))]
    newest = "-" if last is None else f"{last:.1f}"
    return f"{'  '.join(parts)}  newest {newest} ms  (deadline {look.deadline_ms:.1f})"


def _missed(progress: Progress, look: Look) -> tuple[str, str]:
    """Returns the misses with their bound, and green where the claim is shown, red where it no longer can be."""
    allowed = _allowed(look.claim, look.frames)
    may = "too few frames for the claim" if allowed is None else f"{allowed} of {look.frames} may"
    if not progress.ended:
        return f"nothing yet; {may}", ""
    bound = _bound(min(progress.misses, progress.ended), progress.ended)
    colour = _GREEN if bound <= 1 - look.claim else _RED if allowed is None or progress.misses > allowed else ""
    return f"{progress.misses} of {progress.ended}, at most {100 * bound:.3g} % with 99 % confidence; {may}", colour


@functools.lru_cache(maxsize=8)
def _allowed(claim: float, frames: int) -> int | None:
    return misses_allowed(claim, frames)


def _bound(misses: int, ended: int) -> float:
    """Returns the bound on misses; of many frames, that of a few less, which is hardly higher and need not be made each time."""
    few_less = ended - ended % 15
    return _made_bound(misses, few_less if ended > 150 and misses <= few_less else ended)


@functools.lru_cache(maxsize=8)
def _made_bound(misses: int, ended: int) -> float:
    return miss_bound(misses, ended)


def _rate(progress: Progress, look: Look) -> str:
    ended = [ms for outcome, ms in progress.recent if outcome is not None][-max(round(_RATE_OVER_S * look.rate_hz), 1) :]
    answered = sum(ms is not None for ms in ended)
    shown = f"{look.rate_hz * answered / len(ended):.1f}" if ended else "-"
    queue = f"in flight {progress.in_flight}  waiting {progress.waiting}"
    return f"{shown} of {look.rate_hz:g} FPS answered  {queue}  {progress.answered} answers"


def _device(progress: Progress) -> str:
    sample = progress.sample
    hottest = sorted(sample.get("temperatures_c", {}).items(), key=lambda item: -item[1])[:2]
    parts = [f"{name} {celsius:.0f} C" for name, celsius in hottest]
    parts += [f"{name} clock {100 * share:.0f} %" for name, share in list(sample.get("clock_shares", {}).items())[:2]]
    watts = sum(sample.get("power_w", {}).values())
    parts += [f"{watts:.1f} W"] if watts else []
    parts += [f"agent {sample['rss_bytes'] / 2**20:.0f} MiB"] if "rss_bytes" in sample else []
    return "  ".join(parts) or "measures nothing of itself"


def _is_told(name: str) -> bool:
    return any(part in name for part in _TOLD_COUNTERS)


def _ms(value: float | None) -> str:
    return "-" if value is None else "no answer" if math.isinf(value) else f"{value:.1f}"


def _clock(seconds: float) -> str:
    whole = math.ceil(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
