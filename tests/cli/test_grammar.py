"""The command line says what it can do, at once, and every example of it parses."""

import re
import resource

import pytest

import rehearse
from benchmarks.grammar import two_words

COMMANDS = (
    "doctor", "scene", "catalogue", "generate", "merge", "convert", "agree", "replay", "inspect",
    "train", "export", "predict", "score", "agent", "agent keys", "hil", "hil proxy", "hil replay", "hil check", "hil rules",
    "hil sweep rate",
    "hil sweep engines", "demo",
)  # fmt: skip


def test_help_is_fast_and_names_every_command(run_rehearse):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_rehearse("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    assert [name for name in COMMANDS if not re.search(rf"^    {name}\s", done.stdout, re.MULTILINE)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_that_parse(command, capsys):
    with pytest.raises(SystemExit) as ended:
        rehearse.main([*command.split(), "--help"])
    assert ended.value.code == 0
    _, _, examples = capsys.readouterr().out.partition("examples:\n")
    lines = [line.split()[1:] for line in examples.splitlines()]
    assert lines
    for line in lines:
        assert rehearse.build_parser().parse_args(two_words(line)).command.__name__ == command.replace(" ", "_")


@pytest.mark.parametrize(
    "line",
    [
        ["generate", "tabletop", "out", "--frames", "0"],
        ["generate", "tabletop", "out", "--frames", "3", "--size", "640"],
        ["scene", "tabletop", "-1"],
        ["hil", "out", "--rate", "0"],
        ["hil", "out", "--duration", "nan"],
        ["fly"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_a_usage_error(line, capsys):
    with pytest.raises(SystemExit) as ended:
        rehearse.main(line)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("said", ["0", "-5", "soon", "inf"])
def test_a_deadline_is_milliseconds_or_a_period(said, capsys):
    with pytest.raises(SystemExit):
        rehearse.main(["hil", "out", f"--deadline={said}"])
    assert f"expected milliseconds above 0, or period, got {said!r}" in capsys.readouterr().err
    parse = rehearse.build_parser().parse_args
    assert [parse(["hil", "out", f"--deadline={good}"]).deadline for good in ("33.3", "period")] == [33.3, "period"]
