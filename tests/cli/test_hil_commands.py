"""Runs over a real link from the command line: verdicts, repeated runs, recordings, lockstep and sweeps."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.one_sentence import assert_one_sentence

ROOT = Path(__file__).resolve().parents[2]


def start_run(dataset, address, out, seconds):
    """A run in a process of its own, whose stderr says how far it is."""
    command = [sys.executable, "rehearse.py", "hil", str(dataset), "--device", address, "--duration", str(seconds)]
    return subprocess.Popen([*command, "--out", str(out)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_rules_of_measuring_are_compared(run_here):
    rows = json.loads(run_here("hil", "rules", "--json").stdout)
    assert [row["miss_ratio"] for row in rows[:2]] == [30 / 9000] * 2
    assert rows[4]["miss_ratio"] == pytest.approx(0.0433, abs=0.0002)
    assert rows[4]["p99_ms"] == "inf"
    documented = (ROOT / "docs" / "hil.md").read_text(encoding="utf-8")
    said = run_here("hil", "rules").stdout.splitlines()
    assert len(said) == 8
    assert [line for line in said if line.strip() not in documented] == []
    assert_one_sentence(run_here("hil", "rules", "--service", "fast"), "expected something like")


def test_a_killed_agent_that_stays_away_ends_the_run_with_a_verdict(agent, dataset, tmp_path):
    process, address = agent
    host = start_run(dataset, address, tmp_path, seconds=5)
    for line in host.stderr:
        if line.startswith("measuring"):
            process.kill()
            break
    killed = time.monotonic()
    said, errors = host.communicate(timeout=60)
    assert time.monotonic() - killed < 30
    assert host.returncode == 1
    assert "Traceback" not in errors
    assert "FAIL: The agent at" in said
    assert (tmp_path / "report.html").is_file()


def test_stopping_with_ctrl_c_is_one_sentence(agent, dataset, tmp_path):
    _, address = agent
    host = start_run(dataset, address, tmp_path, seconds=60)
    for line in host.stderr:
        if line.startswith(("warm-up", "measuring")):
            host.send_signal(signal.SIGINT)
            break
    _, errors = host.communicate(timeout=30)
    assert host.returncode == 130
    assert "Traceback" not in errors
    assert "stopped by the user" in errors


def test_predict_and_score_agree_with_a_constant_engine(run_here, engine, dataset, tmp_path):
    made = run_here("predict", engine, dataset, tmp_path / "out", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["frames"] == 3
    scored = run_here("score", tmp_path / "out", dataset, "--json")
    assert scored.returncode == 0, scored.stderr
    scores = json.loads(scored.stdout)
    assert scores["frames"] == 3
    assert scores["figures"]["pq_things"]["value"] == 0.0
    assert scores["figures"]["pq_things"]["low"] is None
    assert scores["missing"] == []


def test_hil_reports_every_due_frame(agent, run_here, dataset, tmp_path):
    _, address = agent
    rules = ("--duration", "2", "--warm-up", "5", "--deadline", "period")
    done = run_here("hil", dataset, "--device", address, *rules, "--out", tmp_path, "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 3  # 30 frames are too few for a claim
    assert result["verdict"]["status"] == "INVALID"
    assert sum(result["outcomes"].values()) == 30
    assert (result["profile"], result["deadline_ms"]) == ("look, changed", pytest.approx(1e3 / 15))
    replayed = run_here("hil", "replay", tmp_path / "recording.rhil", "--json")
    again = json.loads(replayed.stdout)
    assert (replayed.returncode, again["equal"], again["differences"]) == (0, True, [])
    assert again["figures"]["quality"] == result["quality"]
    assert (tmp_path / "report.html").stat().st_size < 8e6
    assert ET.parse(tmp_path / "junit.xml").find("testsuite").get("errors") in {"1", "2"}


def test_a_run_in_mcap_is_replayed_checked_and_streamed_again(agent, run_here, dataset, tmp_path):
    pytest.importorskip("mcap")
    pytest.importorskip("foxglove")
    _, address = agent
    timing = ("--device", address, "--duration", "1", "--warm-up", "5")
    first = run_here("hil", dataset, *timing, "--mcap", "--out", tmp_path / "first", "--json")
    path = tmp_path / "first" / "recording.mcap"
    assert first.returncode == 3
    assert "Every figure is the reported one, to the bit." in run_here("hil", "replay", path).stdout
    checked = run_here("hil", "check", path, "--json")
    assert [rule["name"] for rule in json.loads(checked.stdout) if rule["holds"] is not True] == []
    again = run_here("hil", path, *timing, "--mcap-topics", "image", "--out", tmp_path / "again", "--json")
    results = [json.loads(done.stdout) for done in (first, again)]
    assert results[1]["dataset"]["recording"] == "recording.mcap"
    assert results[1]["quality"]["offline"] == results[0]["quality"]["offline"]
    blind = run_here("hil", tmp_path / "again" / "recording.mcap", *timing, "--out", tmp_path / "blind", "--json")
    result = json.loads(blind.stdout)
    assert "nothing is scored" in result["dataset"]["truth"]
    assert result["quality"]["offline"]["figures"]["pq"]["value"] is None
    assert sum(result["outcomes"].values()) == 15
    assert_one_sentence(run_here("hil", dataset, "--mcap-topics", "dept", "--out", tmp_path), "Did you mean 'depth'")


@pytest.mark.slow
def test_repeated_runs_are_judged_together(engine, run_here, dataset, tmp_path):
    arguments = ["--engine", engine, "--runs", "2", "--duration", "3", "--warm-up", "5", "--deadline", "50", "--out", tmp_path]
    done = run_here("hil", dataset, *arguments, "--json")
    result = json.loads(done.stdout)
    assert done.returncode in {0, 1, 3}
    assert [run["frames"] for run in result["runs"]] == [45, 45]
    assert result["together"]["frames"] == 90
    assert "SAME PROCESS" not in str(result["verdict"]["marks"])
    sessions = [json.loads((tmp_path / f"run-{k}" / "session.json").read_text()) for k in (1, 2)]
    assert {session["deadline_s"] for session in sessions} == {0.05}
    assert sessions[0]["agent"]["instance"] != sessions[1]["agent"]["instance"]


def test_lockstep_says_so_everywhere(agent, run_here, dataset, tmp_path):
    _, address = agent
    done = run_here("hil", dataset, "--device", address, "--duration", "2", "--lockstep", "--out", tmp_path, "--json")
    result = json.loads(done.stdout)
    assert any(mark.startswith("LOCKSTEP") for mark in result["verdict"]["marks"])
    assert "LOCKSTEP" in (tmp_path / "report.html").read_text()
    assert "LOCKSTEP" in (tmp_path / "junit.xml").read_text()
    assert result["quality"]["offline"]["missing"] == []
    assert json.loads(run_here("hil", "replay", tmp_path / "recording.rhil", "--json").stdout)["equal"]


@pytest.mark.slow
def test_a_rate_sweep_goes_on_where_it_was_stopped(engine, run_here, dataset, tmp_path):
    arguments = ["--engine", engine, "--rates", "10,20", "--duration", "2", "--warm-up", "5", "--out", tmp_path, "--json"]
    first = json.loads(run_here("hil", "sweep", "rate", dataset, *arguments).stdout)
    attempts = [attempt["folder"] for point in first["points"] for attempt in point["attempts"]]
    assert {a["status"] for point in first["points"] for a in point["attempts"]} == {"INVALID"}  # two seconds show nothing
    assert (first["highest_hz"], first["status"]) == (None, "INVALID")
    stamps = {name: (tmp_path / name / "session.json").stat().st_mtime_ns for name in attempts}
    again = run_here("hil", "sweep", "rate", dataset, *arguments)
    assert json.loads(again.stdout) == first
    assert again.returncode == 3
    assert {name: (tmp_path / name / "session.json").stat().st_mtime_ns for name in attempts} == stamps
