"""The link on the command line and in the report: keys are made and asked for, and what carried a run is said."""

import json
import stat

import pytest

import rehearse
from benchmarks._facts import link_sentence
from perception.digest import manifest_path
from tests.perception.tiny_engine import write_tiny


def test_keys_are_made_and_said_where_they_go(tmp_path, capsys):
    assert rehearse.main(["agent", "keys", "--out", str(tmp_path / "keys")]) == 0
    said = capsys.readouterr().out
    for words in ("agent.key (secret)", "host.key (secret)", "hosts/host.pub", "--keys KEYS"):
        assert words in said
    assert stat.S_IMODE((tmp_path / "keys" / "agent.key").stat().st_mode) == 0o600
    assert rehearse.main(["agent", "keys", "--out", str(tmp_path / "keys")]) == 2
    assert "--force" in capsys.readouterr().err
    assert rehearse.main(["agent", "keys", "--out", str(tmp_path / "keys"), "--force", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["files"]) == 4


def test_keys_go_where_the_user_said_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REHEARSE_KEYS", str(tmp_path / "mine"))
    assert rehearse.main(["agent", "keys"]) == 0
    assert (tmp_path / "mine" / "host.key").exists()
    assert str(tmp_path / "mine") in capsys.readouterr().out


@pytest.mark.parametrize("command", [["agent", "x.onnx"], ["hil", "out"]])
def test_keys_and_insecure_exclude_each_other(command, capsys):
    with pytest.raises(SystemExit):
        rehearse.main([*command, "--keys", "k", "--insecure"])
    assert "not allowed with argument" in capsys.readouterr().err


def test_an_agent_says_in_a_sentence_why_it_does_not_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REHEARSE_KEYS", str(tmp_path / "none"))
    engine = str(write_tiny(tmp_path / "tiny.onnx"))
    manifest_path(tmp_path / "tiny.onnx").write_text("0" * 64 + "  tiny.onnx\n")
    for more, sentence in (
        (["--bind", "tcp://0.0.0.0:0"], "without keys: anyone on that network could use it"),
        (["--keys", str(tmp_path / "none")], "Cannot read the key"),
        (["--bind", "tcp://127.0.0.1:*"], "not the engine that was meant"),
    ):
        assert rehearse.main(["agent", engine, *more]) == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1


LINK = {"transport": "zmq", "encrypted": True, "up_mbit_s": 940.2, "down_mbit_s": 936.0}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({}, "The link was not recorded."),
        (
            {**LINK, "down_mbit_s": None, "answers": {"codec": "zstd", "why": "fast", "bytes": 10, "raw_bytes": 61}},
            "The link was encrypted (CURVE), 940 Mbit/s up; answers packed with zstd, 6.1 times smaller (fast).",
        ),
        (
            {"encrypted": False, "up_mbit_s": None, "answers": {"codec": "raw", "why": "not asked for"}},
            "The link was not encrypted, its rate not measured; answers raw (not asked for).",
        ),
        (LINK, "The link was encrypted (CURVE), 940 Mbit/s up and 936 Mbit/s down."),
    ],
)  # fmt: skip
def test_a_report_says_what_carried_the_run(link, said):
    assert link_sentence(link) == said
