"""`pytest -m hil --device URL` is a rehearsal as a test suite: the rules of the verdict are its tests, yours may join them.

The run takes place once, when the first test needs it. Each rule of `hil.checks` is a test: a rule that is broken fails, and
one that makes the run INVALID fails with that word, so that it is never green. Tests of your own ask for the fixture
`hil_report` or `hil_session`. Without `--device` those are skipped, and nothing of this is noticed: this module imports
nothing but pytest before it is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from benchmarks.rehearsal import Rehearsal
    from hil.session import Session

_WHY = "no device to test: give --device tcp://HOST:PORT (and start `rehearse agent ENGINE` there)"
_MARKER = "hil: hardware in the loop; `pytest -m hil --device URL` judges a device by every rule of `rehearse hil`"
_RUN = "_rehearse_hil_run"
_SCHEMES = ("tcp://", "ipc://")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options, all under names that begin with --hil."""
    group = parser.getgroup("rehearse", "hardware in the loop (rehearse)")
    group.addoption("--hil-device", metavar="URL", help="the agent to test; also --device tcp://... or ipc://...")
    group.addoption("--hil-dataset", metavar="DIR", help="the frames to stream (default: a clip rendered of --hil-suite)")
    group.addoption("--hil-suite", default="tabletop", metavar="SUITE", help="the suite to render (default: tabletop)")
    group.addoption("--hil-clip", type=float, default=4.0, metavar="S", help="seconds to render of it (default: 4)")
    group.addoption("--hil-size", default="640x480", metavar="WxH", help="size of the rendered frames (default: 640x480)")
    group.addoption("--hil-seed", type=int, default=0, metavar="N", help="of the rendered scenes (default: 0)")
    group.addoption("--hil-profile", default="look", metavar="NAME", help="look, quick, qualify or soak (default: look)")
    group.addoption("--hil-rate", type=float, default=15.0, metavar="HZ", help="frames per second (default: 15)")
    group.addoption("--hil-duration", type=float, metavar="S", help="seconds to measure (default: the profile's)")
    group.addoption("--hil-claim", type=float, metavar="P", help="the P(on time) to show (default: the profile's)")
    group.addoption("--hil-warm-up", type=float, metavar="S", help="its longest (default: the profile's)")
    group.addoption("--hil-deadline", type=float, metavar="MS", help="when an answer is late (default: 66.7)")
    group.addoption("--hil-keys", metavar="DIR", help="keys of an encrypted link (default: those of `rehearse agent keys`)")
    group.addoption("--hil-insecure", action="store_true", help="without keys to another machine")
    group.addoption("--hil-out", default="out/hil", metavar="DIR", help="folder of the report (default: out/hil)")


def pytest_load_initial_conftests(args: list[str]) -> None:
    """Takes `--device URL` as ours where it names an address; other plugins have an option of that name as well."""
    for at, word in enumerate(args):
        name, equals, value = word.partition("=")
        if name != "--device":
            continue
        value = value if equals else "".join(args[at + 1 : at + 2])
        if value.startswith(_SCHEMES):
            args[at : at + (1 if equals else 2)] = [f"--hil-device={value}"]
            return


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker; raises UsageError for several processes, as an agent serves one host at a time."""
    config.addinivalue_line("markers", _MARKER)
    if config.getoption("hil_device") is not None and config.getoption("numprocesses", None):
        raise pytest.UsageError("--device: an agent serves one host at a time, so run its tests without -n.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds a test per rule where a device is given, unless single tests were asked for."""
    if config.getoption("hil_device") is None or any("::" in word for word in config.args):
        return
    from hil.checks import RULES

    collector = _Rules.from_parent(session, name="rehearse-hil", nodeid="rehearse-hil")
    items[:0] = [_Rule.from_parent(collector, name=name) for name in RULES]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says the verdict, its marks and where the report is."""
    rehearsal = getattr(config, _RUN, None)
    if rehearsal is None or isinstance(rehearsal, BaseException):
        return
    verdict = rehearsal.verdict
    terminalreporter.section("rehearsal", "-")
    for line in (f"{verdict.status}: {verdict.reason}", *verdict.marks, f"Report: {rehearsal.report_path}"):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def hil_report(request: pytest.FixtureRequest) -> Rehearsal:
    """The one rehearsal of this test run: session, latency, verdict and quality. Skips without --device."""
    if request.config.getoption("hil_device") is None:
        pytest.skip(_WHY)
    return _rehearsal(request.config)


@pytest.fixture(scope="session")
def hil_session(hil_report: Rehearsal) -> Session:
    """Every frame's time stamps and outcome of the one rehearsal of this test run."""
    return hil_report.session


class _Rules(pytest.Collector):
    """What the rules hang on; there is no file that they are in."""

    def collect(self) -> Iterator[pytest.Item]:
        return iter(())


class _Rule(pytest.Item):
    """One rule of the verdict as a test, by the name that it has in junit.xml."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.add_marker(pytest.mark.hil)
        if self.config.pluginmanager.hasplugin("timeout"):
            self.add_marker(pytest.mark.timeout(0))  # a run takes as long as its profile, however short other tests are

    def runtest(self) -> None:
        verdict = _rehearsal(self.config).verdict
        self.user_properties += [("verdict", verdict.status), *(("mark", mark) for mark in verdict.marks)]
        check = next(check for check in verdict.checks if check.name == self.name)
        if check.status == "skipped":
            pytest.skip(check.found)
        if check.status != "pass":
            said = f"INVALID: {check.found}" if check.status == "invalid" else check.found
            pytest.fail(said, pytrace=False)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        from scenes.errors import RehearseError

        if isinstance(excinfo.value, RehearseError):
            return f"{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return Path("rehearse-hil"), None, f"rehearse hil: {self.name}"


def _rehearsal(config: pytest.Config) -> Rehearsal:
    """Returns the rehearsal of this test run, which is made at the first call; an error is raised again at every call."""
    if not hasattr(config, _RUN):
        try:
            made: Rehearsal | Exception = _seen(config, lambda: _rehearse(config))
        except Exception as error:  # every test that needs the run says why there is none
            made = error
        setattr(config, _RUN, made)
    found: Rehearsal | Exception = getattr(config, _RUN)
    if isinstance(found, Exception):
        raise found
    return found


def _seen(config: pytest.Config, run: Callable[[], Rehearsal]) -> Rehearsal:
    """Runs with the terminal to itself where there is one, so that the live view shows; else what it says is captured."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        return run()
    with capture.global_and_fixture_disabled():
        if sys.stderr.isatty():
            sys.stderr.write("\n")
            return run()
    return run()


def _rehearse(config: pytest.Config) -> Rehearsal:
    from benchmarks.rehearsal import rehearse_device
    from hil.profiles import profile_named

    option = config.getoption
    deadline_ms = option("hil_deadline")
    profile = profile_named(option("hil_profile")).changed(
        duration_s=option("hil_duration"), claim=option("hil_claim"), warm_up_cap_s=option("hil_warm_up"),
        deadline_s=None if deadline_ms is None else deadline_ms / 1e3,
    )  # fmt: skip
    keys = None if option("hil_keys") is None else Path(option("hil_keys"))
    said: list[str] = []
    return rehearse_device(
        _source(config), option("hil_device"), rate_hz=option("hil_rate"), profile=profile, out=Path(option("hil_out")),
        say=said.append, link={"keys": keys, "insecure": option("hil_insecure")},
    )  # fmt: skip


def _source(config: pytest.Config) -> Any:
    if config.getoption("hil_dataset") is not None:
        return Path(config.getoption("hil_dataset"))
    from benchmarks.sources import Rendered
    from sim.capture import Capture
    from sim.film import Film

    width, _, height = config.getoption("hil_size").partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise pytest.UsageError(f"--hil-size: expected WIDTHxHEIGHT such as 640x480, got {width}x{height}.")
    capture = Capture(sequence=30, rate_hz=config.getoption("hil_rate"), motion="both")
    size = (int(width), int(height))
    film = Film(suite=config.getoption("hil_suite"), seed=config.getoption("hil_seed"), size=size, capture=capture)
    return Rendered(film=film, clip_s=config.getoption("hil_clip"))
