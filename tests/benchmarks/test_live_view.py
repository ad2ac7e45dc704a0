"""What a person sees of a run while it lasts, read back from a terminal that obeys the same sequences."""

import math
import os
import pty
import subprocess
import sys
import threading

import pytest

from benchmarks._screen import Look, screen_lines, strip
from benchmarks.live_view import LiveView, shown
from hil.progress import Progress, print_progress
from tests.benchmarks.terminal import Terminal

LOOK = Look(device="tcp://127.0.0.1:5555", rate_hz=15.0, deadline_ms=66.7, claim=0.95, frames=300)
PLAIN = Look(device="tcp://127.0.0.1:5555", rate_hz=15.0, deadline_ms=66.7, claim=0.95, frames=300, colours=False)
RECENT = (*[("on_time", 20.0)] * 60, ("late", 80.0), ("dropped", None), ("lost", None), (None, None))


def progress_of(**changes):
    values = {
        "phase": "measuring", "due": 64, "sent": 63, "answered": 61, "misses": 3, "ended": 63, "p50_ms": 20.0, "p95_ms": 80.0,
        "remaining_s": 15.2, "recent": RECENT, "in_flight": 1, "waiting": 1,
    }  # fmt: skip
    return Progress(**{**values, **changes})


def test_every_line_says_what_it_should():
    sample = {"temperatures_c": {"cpu": 51.2, "gpu": 45.0}, "clock_shares": {"gpu": 0.5}, "power_w": {"in": 4.0, "out": 1.3}}
    counters = {"agent_restarts": 2, "agent_answered": 61, "stale_answers": 0}
    text = "\n".join(screen_lines(progress_of(sample=sample, counters=counters), PLAIN, width=100))
    assert "measuring, 0:16 left" in text
    assert "p50 20.0  p95 80.0  newest 80.0 ms  (deadline 66.7)" in text
    assert "3 of 63, at most 15.1 % with 99 % confidence; 6 of 300 may" in text
    assert "14.5 of 15 FPS answered  in flight 1  waiting 1" in text
    assert "cpu 51 C  gpu 45 C  gpu clock 50 %  5.3 W" in text
    assert "agent restarts 2" in text
    assert "agent answered" not in text


def test_the_bound_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    assert f"{100 * stats.beta.ppf(0.99, 4, 60):.3g} %" == "15.1 %"


def test_the_strip_tells_outcomes_apart_with_and_without_colours():
    assert strip(RECENT, PLAIN, width=6) == "▃▃█××·"
    plain_ascii = Look(device="", rate_hz=15.0, deadline_ms=66.7, claim=0.95, frames=9, colours=False, blocks=False)
    assert strip(RECENT, plain_ascii, width=6) == "--#xx "
    coloured = strip(RECENT, LOOK, width=6)
    assert coloured.index("\x1b[32m▃▃") < coloured.index("\x1b[33m█") < coloured.index("\x1b[31m××")
    assert strip((("on_time", 66.6),), PLAIN, width=1) == "▇"
    assert strip((("on_time", -0.1),), PLAIN, width=1) == "▁"
    assert strip((), LOOK, width=5) == ""


@pytest.mark.parametrize("width", [20, 37, 79, 200])
@pytest.mark.parametrize("look", [LOOK, PLAIN], ids=["colours", "plain"])
def test_no_line_wraps(width, look):
    sample = {"temperatures_c": {"a very long name of a thermal zone": 51.2}, "rss_bytes": 2**30}
    for progress in (
        progress_of(sample=sample), progress_of(p95_ms=math.inf, remaining_s=4e4, recent=RECENT * 3),
        progress_of(phase="warm-up", due=0, ended=0, misses=0, p50_ms=None, p95_ms=None, recent=()),
    ):  # fmt: skip
        terminal = Terminal(width)
        terminal.feed("\r\n".join(screen_lines(progress, look, width=width)))
        assert len(terminal.lines) == 7


@pytest.fixture
def terminal_pair():
    """The two ends of a pseudo terminal: what a program writes to, and a function that returns all that came."""
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", encoding="utf-8")
    came = []

    def read():
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            came.append(data)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()

    def finish():
        if not stream.closed:
            stream.close()
        thread.join(5)
        return b"".join(came).decode("utf-8")

    yield stream, finish
    finish()
    os.close(master)


def test_looks_are_drawn_over_each_other_and_the_cursor_comes_back(terminal_pair):
    stream, finish = terminal_pair
    view = LiveView(look=LOOK, stream=stream)
    view(progress_of(phase="warm-up"))
    view(progress_of(counters={"agent_restarts": 1}))
    view(progress_of(phase="finished", counters={"agent_restarts": 1}))
    view.close()
    text = finish()
    terminal = Terminal(80)
    terminal.feed(text)
    assert len([line for line in terminal.lines if line]) == 8
    assert terminal.lines[0].endswith("finished")
    assert not terminal.hidden
    assert "\x1b[2J" not in text  # nothing is cleared before it is written again


def test_a_terminal_that_goes_away_stops_nothing(terminal_pair):
    stream, finish = terminal_pair
    view = LiveView(look=LOOK, stream=stream)
    view(progress_of())
    finish()
    view(progress_of())
    view.close()


def test_no_terminal_gets_plain_lines(monkeypatch, capsys):
    values = {"device": "", "rate_hz": 15.0, "deadline_s": 1 / 15, "claim": 0.95, "frames": 9}
    with shown(**values) as tell:
        assert tell is print_progress
        tell(progress_of())
    assert "\x1b" not in capsys.readouterr().err


SCRIPT = """
import sys
from benchmarks.live_view import shown
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from tests.hil.conftest import make_frame
with shown(device=sys.argv[1], rate_hz=15.0, deadline_s=1 / 15, claim=0.5, frames=22) as tell:
    rule = WarmUp(frames=4, seconds=0, windows=0)
    run_session([make_frame(0)], device=sys.argv[1], duration_s=1.5, warm_up=rule, claim=0.5, progress=tell)
"""


@pytest.mark.parametrize("no_color", ["", "1"], ids=["colours", "NO_COLOR"])
def test_a_real_run_on_a_terminal(start_agent, root_dir, terminal_pair, no_color):
    stream, finish = terminal_pair
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": no_color, "PYTHONPATH": str(root_dir), "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", SCRIPT, start_agent(0.002).address]
    subprocess.run(command, stderr=stream, env=environment, cwd=root_dir, check=True, timeout=60)
    terminal = Terminal(80)
    terminal.feed(finish())
    assert terminal.lines[0].split()[-1] == "finished"
    assert any(line.startswith("missed") and " of 22, at most " in line for line in terminal.lines)
    assert "device   agent " in "\n".join(terminal.lines)
    assert bool(terminal.colours) == (not no_color)
    assert not terminal.hidden
