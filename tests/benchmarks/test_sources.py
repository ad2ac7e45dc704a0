"""Where frames come from, by the words of the command line: the same words again make the same source, nonsense is refused."""

import json

import pytest

from benchmarks.commands._source import source_of, source_words
from benchmarks.rehearsal import rehearse_device
from benchmarks.sources import Rendered
from hil.profiles import profile_named
from rehearse import build_parser
from scenes.errors import LinkError, RehearseError
from sim.capture import Capture
from sim.film import Film
from sim.sensors.library import load_profile


def parsed(*words):
    return build_parser().parse_args(["hil", *words])


@pytest.mark.parametrize(
    "words",
    [
        ("out/test",),
        ("tabletop", "--live"),
        ("tabletop", "--live", "--ahead=5", "--size=320x240", "--seed=3", "--split=val", "--rate=10"),
        ("household", "--clip=1.5", "--sequence=10", "--motion=camera", "--sensor=webcam"),
    ],
    ids=" ".join,
)
def test_the_words_of_a_repeated_run_are_the_same_source(words):
    first = parsed(*words)
    again = parsed(*source_words(first), f"--rate={first.rate}")
    assert source_of(again) == source_of(first)


def test_a_film_is_what_the_words_say():
    source = source_of(parsed("tabletop", "--clip", "2", "--size", "64x48", "--seed", "5", "--sequence", "6", "--rate", "20"))
    capture = Capture(sequence=6, rate_hz=20.0, motion="both")
    film = Film(suite="tabletop", seed=5, size=(64, 48), capture=capture, sensor=load_profile("ideal"))
    assert source == Rendered(film=film, clip_s=2.0)


def test_words_that_do_not_go_together_are_refused():
    with pytest.raises(RehearseError, match="--seed, --size: these belong to --live or --clip"):
        source_of(parsed("out/test", "--size", "64x48", "--seed", "1"))
    with pytest.raises(RehearseError, match="give one of them"):
        source_of(parsed("tabletop", "--live", "--clip", "2"))


def test_an_agent_that_is_not_there_is_found_before_anything_is_rendered(tmp_path):
    source = Rendered(film=Film(suite="tabletop", size=(48, 32)), clip_s=1.0)
    with pytest.raises(LinkError, match="No agent answered"):
        rehearse_device(
            source, "tcp://127.0.0.1:9", rate_hz=15.0, profile=profile_named("look"), out=tmp_path / "out", say=print
        )
    assert not (tmp_path / "out").exists()


def test_a_clip_is_judged_as_a_data_set_is_and_the_report_says_what_it_was(tmp_path, start_agent):
    film = Film(suite="tabletop", size=(48, 32), capture=Capture(sequence=5, motion="both"))
    profile = profile_named("look").changed(duration_s=1.0, claim=0.5, warm_up_cap_s=4.0)
    made = rehearse_device(
        Rendered(film=film, clip_s=0.5), start_agent(0.002).address, rate_hz=15.0, profile=profile, out=tmp_path, say=print
    )
    assert made.session.dataset["source"] == "a clip of 8 rendered frames, played again and again"
    assert made.session.dataset["frames"] == 8
    assert {f.image for f in made.session.frames} == set(range(8))
    html = made.report_path.read_text(encoding="utf-8")
    assert "a clip of 8 rendered frames" in html
    assert "Waterfall of single frames" in html
    assert json.loads((tmp_path / "scores.json").read_text())["dataset"]["suite"] == "tabletop"
    assert not list(tmp_path.glob(".frames-*"))
