"""A made-up board in a folder: what is there is read in its unit, what is not is left out, and no peer can send more."""

import itertools
import json
import math
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.agent.tegrastats import parse_tegrastats
from hil.agent.telemetry import MAPS, Telemetry, checked_sample
from hil.figures.condition import energy_j_per_frame, growth, samples_of, throttled
from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.verdict import judge
from perception.power_mode import clocks_held, power_mode
from tests.hil.records import answered, session

FILES = {
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "51500",
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "critical",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": "104500",
    "sys/class/thermal/thermal_zone0/trip_point_1_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_1_temp": "99000",
    "sys/class/thermal/thermal_zone1/type": "gpu-thermal",
    "sys/class/thermal/thermal_zone1/temp": "not a number",
    "sys/class/hwmon/hwmon2/oc1_event_cnt": "0",
    "sys/class/hwmon/hwmon2/oc3_event_cnt": "7",
    "sys/class/hwmon/hwmon3/in1_label": "VDD_IN",
    "sys/class/hwmon/hwmon3/in1_input": "5000",
    "sys/class/hwmon/hwmon3/curr1_input": "2000",
    "sys/class/hwmon/hwmon3/in2_label": "NC",
    "sys/class/devfreq/17000000.gpu/cur_freq": "459000000",
    "sys/class/devfreq/17000000.gpu/max_freq": "918000000",
    "sys/class/devfreq/17000000.gpu/device/load": "955",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "2",
    "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "3",
    "proc/self/status": "Name:\tagent\nVmRSS:\t  2048 kB\n",
}


@pytest.fixture
def board(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    return tmp_path


def test_a_board_is_read_in_its_units(board):
    with Telemetry(board) as telemetry:
        time.sleep(0.45)
        board.joinpath("sys/class/hwmon/hwmon2/oc3_event_cnt").write_text("9")
        deadline = time.monotonic() + 5
        while telemetry.latest()["events"]["oc3"] != 9 and time.monotonic() < deadline:
            time.sleep(0.05)
    sample = telemetry.latest()
    assert sample["temperatures_c"] == {"cpu-thermal": 51.5}
    assert sample["limits_c"] == {"cpu-thermal": 99.0}
    assert sample["events"] == {"oc1": 0, "oc3": 9, "core_throttle": 5}
    assert sample["clock_shares"] == {"17000000.gpu": 0.5}
    assert sample["loads"] == {"17000000.gpu": 0.955}
    assert sample["power_w"] == {"VDD_IN": 10.0}
    assert sample["energy_j"]["VDD_IN"] > 4.0  # 10 W for 0.45 s and more
    assert sample["rss_bytes"] == 2 * 2**20
    assert checked_sample(json.loads(json.dumps(sample))) == sample


def test_the_processor_s_load_is_of_the_time_since_the_sample_before(board):
    stat = board / "proc/stat"
    stat.write_text("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1\n")
    (board / "proc/meminfo").write_text("MemTotal: 4000 kB\nMemAvailable: 3000 kB\n")
    with Telemetry(board) as telemetry:
        assert "cpu" not in telemetry.latest()["loads"]
        stat.write_text("cpu  130 0 130 720 120 0 0 0 0 0\ncpu0 1 1 1 1\n")  # 60 of 100 ticks were busy
        deadline = time.monotonic() + 5
        while "cpu" not in telemetry.latest()["loads"] and time.monotonic() < deadline:
            time.sleep(0.05)
    assert telemetry.latest()["loads"]["cpu"] == pytest.approx(0.6)
    assert telemetry.latest()["available_bytes"] == 3000 * 1024


# Lines as boards print them: Orin, and a Xavier of JetPack 4.
ORIN = (
    "RAM 2448/15388MB (lfb 1x512kB) SWAP 0/7694MB (cached 0MB) CPU [12%@729,off,off,off] EMC_FREQ 3%@2133 "
    "GR3D_FREQ 97%@[305,0] VIC_FREQ 729 APE 174 CV0@-256C CPU@47.625C Tboard@35C GPU@-256C tj@47.6C "
    "VDD_GPU_SOC 2380mW/2300mW VDD_CPU_CV 396mW/390mW VIN_SYS_5V0 3521mW/3500mW"
)
XAVIER = "RAM 2021/7771MB SWAP 0/3885MB CPU [5%@1190,2%@1190] GR3D_FREQ 0% AO@38C GPU@39.5C PMIC@100C VDD_IN 3824/3788"


def test_lines_of_tegrastats_are_read():
    orin, xavier = parse_tegrastats(ORIN), parse_tegrastats(XAVIER)
    assert orin["temperatures_c"] == {"CPU": 47.625, "Tboard": 35.0, "tj": 47.6}
    assert orin["power_w"] == {"VDD_GPU_SOC": 2.38, "VDD_CPU_CV": 0.396, "VIN_SYS_5V0": 3.521}
    assert orin["loads"] == {"emc": 0.03, "gr3d": 0.97}
    assert xavier["temperatures_c"] == {"AO": 38.0, "GPU": 39.5, "PMIC": 100.0}
    assert xavier["power_w"] == {"VDD_IN": 3.824}
    assert parse_tegrastats("nothing of the kind") == {"temperatures_c": {}, "power_w": {}, "loads": {}}


def test_tegrastats_is_asked_only_where_the_kernel_says_nothing(tmp_path, board, monkeypatch):
    tools, empty = tmp_path / "fake_tools", tmp_path / "no_sysfs"
    tools.mkdir()
    empty.mkdir()
    fake = tools / "tegrastats"  # prints the lines of a board, not the board itself
    fake.write_text(f"#!/bin/sh\nwhile true; do echo '{ORIN}'; sleep 0.1; done\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with Telemetry(empty) as telemetry:
        deadline = time.monotonic() + 5
        while "power_w" not in telemetry.latest() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert telemetry.latest()["power_w"]["VDD_CPU_CV"] == 0.396
    assert telemetry.latest()["temperatures_c"]["tj"] == 47.6
    with Telemetry(board) as telemetry:
        assert "tj" not in telemetry.latest()["temperatures_c"]


@pytest.mark.parametrize(("lowest", "held"), [("1300", True), ("300", False), (None, None)])
def test_clocks_are_held_where_the_lowest_setting_is_the_highest(tmp_path, lowest, held):
    if lowest is not None:
        for folder, low, high in (
            ("sys/class/devfreq/17000000.gpu", "min_freq", "max_freq"),
            ("sys/devices/system/cpu/cpufreq/policy0", "scaling_min_freq", "scaling_max_freq"),
        ):
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / low).write_text(lowest)
            (tmp_path / folder / high).write_text("1300")
    assert clocks_held(tmp_path) is held


def test_a_machine_without_any_of_it_still_has_a_time(tmp_path):
    with Telemetry(tmp_path) as telemetry:
        assert set(telemetry.latest()) == {"at_ns"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=60) | st.sampled_from(MAPS), inner),
        max_leaves=20,
    )
)
def test_whatever_a_peer_sends_is_plain_and_bounded_or_nothing(value):
    sent = {"at_ns": 1, **value} if isinstance(value, dict) else value
    sample = checked_sample(sent)
    if sample is not None:
        json.dumps(sample, allow_nan=False)
        assert set(sample) <= {"at_ns", "rss_bytes", *MAPS}
        assert all(len(found) <= 32 for name, found in sample.items() if name in MAPS)


def test_endless_names_are_cut():
    sample = checked_sample({"at_ns": 1, "events": {f"{i:03}" * 30: i for i in range(99)}})
    assert len(sample["events"]) == 32
    assert max(map(len, sample["events"])) == 40
    assert checked_sample({"at_ns": 1.5}) is None
    assert checked_sample({"rss_bytes": 1}) is None
    assert checked_sample({"at_ns": 1, "events": {"a": math.nan, "b": math.inf, "c": True, 3: 3}}) == {"at_ns": 1, "events": {}}


def measured(*samples, **changes):
    made = [{"at_ns": round(i * 1e9), **sample} for i, sample in enumerate(samples)]
    records = [answered(i, 0.03) for i in range(150)]
    return session(records, telemetry={"samples": made}, **changes)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([{"events": {"oc3": 5}}, {"events": {"oc3": 5}}], None),
        ([{"events": {"oc3": 5}}, {"events": {"oc3": 7}}], "oc3 counted 2 events"),
        ([{}, {"events": {"core_throttle": 1}}], "core_throttle counted 1 events"),
        ([{"temperatures_c": {"cpu": 98.0}, "limits_c": {"cpu": 99.0}}], None),
        ([{"temperatures_c": {"cpu": 99.0}, "limits_c": {"cpu": 99.0}}, {}], "cpu reached 99 C"),
        ([{"temperatures_c": {"cpu": 120.0}}], None),  # without a limit nobody can tell
        ([{"clock_shares": {"gpu": 0.5}, "loads": {"gpu": 0.3}}], None),
        ([{"clock_shares": {"gpu": 0.5}, "loads": {"gpu": 0.95}}], "gpu ran at 50% of its highest clock under load"),
        ([{"clock_shares": {"gpu": 0.5}}], None),
        ([{"loads": {"cpu": 1.0}}], None),  # a busy processor whose clock nobody knows
        ([], None),
    ],
)
def test_a_run_is_marked_throttled_where_something_says_so(samples, said):
    made = measured(*samples)
    assert [said in reason for reason in throttled(made)] == ([] if said is None else [True])
    marks = judge(made).marks
    assert [mark.startswith("THROTTLED: ") for mark in marks] == ([] if said is None else [True])
    assert judge(made).status == "PASS"


def test_energy_per_frame_is_power_by_rate():
    """10 W at 15 answers per second are two thirds of a joule each."""
    made = measured(*({"energy_j": {"VDD_IN": 10.0 * i}} for i in range(11)))
    assert energy_j_per_frame(made) == {"VDD_IN": pytest.approx(10 / 15)}
    assert energy_j_per_frame(measured({}, {})) is None
    assert energy_j_per_frame(session([answered(0, 0.03)])) is None


@pytest.mark.parametrize(("mib", "bounded"), [((500, 540), True), ((500, 600), False), ((5000, 5400), True), ((500, 400), True)])
def test_memory_that_grows_is_found_in_a_long_run(mib, bounded):
    steps = [{"rss_bytes": (mib[0] if i < 10 else mib[1]) * 2**20} for i in range(20)]
    made = measured(*steps, duration_s=4000.0)
    assert growth(made).bounded is bounded
    status = {c.name: c.status for c in judge(made).checks}["the agent's memory is bounded"]
    assert status == ("pass" if bounded else "fail")
    assert growth(measured(*steps)) is None


def test_a_run_carries_what_its_agent_measured(start_agent, frames):
    made = run_session(
        frames, device=start_agent(0.005).address, duration_s=2.5, warm_up=WarmUp(frames=4, seconds=0.0, windows=0)
    )
    samples = samples_of(made)
    assert len(samples) >= 2
    assert all(one["at_ns"] < other["at_ns"] for one, other in itertools.pairwise(samples))
    assert samples[0]["rss_bytes"] > 10 * 2**20


@pytest.mark.parametrize(("script", "mode"), [("echo NV Power Mode: MAXN; echo 0", "NV Power Mode: MAXN 0"), ("exit 1", None)])
def test_the_power_mode_is_what_the_board_says(tmp_path, monkeypatch, script, mode):
    tool = tmp_path / "nvpmodel"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    power_mode.cache_clear()
    assert power_mode() == mode
    power_mode.cache_clear()
