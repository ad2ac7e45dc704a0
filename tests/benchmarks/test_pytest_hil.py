"""`pytest -m hil --device URL` in a folder of a user's own, against a real agent: every rule is a test, the run is made once."""

import re
import sys

import pytest

from hil.checks import RULES, run_checks
from hil.figures.latency import summarize
from tests.benchmarks.rehearsals import make_session

pytest_plugins = ["pytester"]

QUICK = ("--hil-duration=1.6", "--hil-claim=0.7", "--hil-warm-up=4")
OWN = """
import pytest

@pytest.mark.hil
def test_p99(hil_report):
    assert hil_report.latency.quantile(0.99).value_s < 5

@pytest.mark.hil
def test_all_frames_are_there(hil_session):
    assert len(hil_session.due) == 24

def test_other():
    pass
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    from sim.generate import GenerateSpec, generate

    folder = tmp_path_factory.mktemp("frames") / "data"
    generate(GenerateSpec(suite="tabletop", out=folder, frames=3, size=(48, 32), workers=1, stages=False), progress=False)
    return folder


@pytest.fixture
def run(pytester, root_dir, monkeypatch, dataset):
    """Runs pytest in a new folder with the plugin, as installed by its name or not."""
    monkeypatch.setenv("PYTHONPATH", str(root_dir))

    def start(*words, plugin=True):
        ours = ("-p", "benchmarks.pytest_hil") if plugin else ()
        own = ("-p", "no:rehearse", "-p", "no:cacheprovider", *ours)
        return pytester.runpytest_subprocess(*own, *words, timeout=120)

    return start


def test_the_names_are_those_of_the_verdict():
    session = make_session([None], [None] * 100)
    assert tuple(check.name for check in run_checks([session], summarize(session))) == RULES


def test_every_rule_is_a_test_beside_the_users_own(run, start_agent, dataset, pytester):
    pytester.makepyfile(OWN)
    address = start_agent(0, "emulate:p50=10ms,p99=12ms").address
    result = run("-m", "hil", "--device", address, f"--hil-dataset={dataset}", *QUICK, "-v", "--junit-xml=junit.xml", "-rA")
    text = result.stdout.str()
    outcomes = result.parseoutcomes()
    assert outcomes["deselected"] == 1
    ran = [name for name in RULES if re.search(rf"rehearse-hil::{re.escape(name)} (PASSED|FAILED|SKIPPED)", text)]
    assert ran == list(RULES)
    assert "EMULATED: no device was measured" in text
    assert "test_p99" in text
    assert (pytester.path / "out/hil/report.html").exists()
    assert len(list(pytester.path.glob("out/hil/recording.rhil"))) == 1
    junit = (pytester.path / "junit.xml").read_text()
    assert 'name="mark" value="EMULATED' in junit
    verdict = re.search(r"^(PASS|FAIL|INVALID): ", text, re.MULTILINE)
    assert verdict
    assert (result.ret == 0) == (verdict[1] == "PASS")  # a busy machine may rightly be told INVALID


def test_a_device_that_is_too_slow_fails_by_the_rule_that_says_so(run, start_agent, dataset):
    address = start_agent(0, "emulate:p50=150ms").address
    result = run(f"--device={address}", f"--hil-dataset={dataset}", *QUICK, "-m", "hil")
    assert result.ret == 1
    assert "FAILED rehearse-hil::the claim is shown" in result.stdout.str()
    assert "missed the deadline of 66.7 ms at 15 FPS" in result.stdout.str()


def test_invalid_is_never_green(run, start_agent, dataset):
    address = start_agent(0, "emulate:p50=5ms").address
    result = run(
        "--hil-device", address, f"--hil-dataset={dataset}", "--hil-duration=1", "--hil-claim=0.999", "--hil-warm-up=4"
    )
    assert result.ret == 1
    assert "INVALID: 15 frames are too few for the claim" in result.stdout.str()


def test_no_agent_is_said_in_a_sentence_by_every_test(run, dataset, pytester):
    pytester.makepyfile(OWN)
    result = run("-m", "hil", "--device", "tcp://127.0.0.1:9", f"--hil-dataset={dataset}")
    assert result.ret == 1
    text = result.stdout.str()
    assert "No agent answered at tcp://127.0.0.1:9 within 3 s" in text
    assert "Traceback" not in text
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == len(RULES)
    assert outcomes["errors"] == 2


def test_without_a_device_they_are_skipped_with_the_reason(run, pytester):
    pytester.makepyfile(OWN)
    result = run("-rs")
    assert result.parseoutcomes() == {"passed": 1, "skipped": 2}
    assert "no device to test: give --device tcp://HOST:PORT" in result.stdout.str()


def test_one_test_by_its_name_brings_no_rules(run, pytester):
    path = pytester.makepyfile(OWN)
    result = run(f"{path.name}::test_other", "--device", "tcp://127.0.0.1:9")
    assert result.parseoutcomes() == {"passed": 1}


def test_another_plugins_device_stays_its_own(run, pytester):
    pytester.makeconftest('def pytest_addoption(parser):\n    parser.addoption("--device", default="none")\n')
    pytester.makepyfile('def test_it(request):\n    assert request.config.getoption("--device") == "iPhone 13"\n')
    assert run("--device", "iPhone 13").parseoutcomes() == {"passed": 1}


def test_other_runs_do_not_notice_it(run, pytester):
    pytester.makepyfile("""
        import sys

        def test_nothing_heavy_was_imported():
            assert not {"numpy", "zmq", "hil", "sim", "cv2", "mujoco"} & set(sys.modules)
        """)
    assert run("--strict-markers").parseoutcomes() == {"passed": 1}
    assert run("--strict-markers", plugin=False).parseoutcomes() == {"passed": 1}


def test_several_processes_are_refused(run, pytester):
    pytest.importorskip("xdist")
    pytester.makepyfile(OWN)
    result = run("-n", "2", "--device", "tcp://127.0.0.1:9")
    assert result.ret == 4
    assert "run its tests without -n" in result.stderr.str()


def test_the_package_names_the_plugin(root_dir):
    tomllib = pytest.importorskip("tomllib") if sys.version_info < (3, 11) else __import__("tomllib")
    project = tomllib.loads((root_dir / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"rehearse": "benchmarks.pytest_hil"}
