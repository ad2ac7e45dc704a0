import os
import stat
import threading
from contextlib import suppress

import pytest
import zmq
import zmq.auth

from hil.link.keys import FILES, AgentKeys, default_folder, instructions, load_agent_keys, load_host_keys, make_keys
from scenes.errors import LinkError


@pytest.fixture
def folder(tmp_path):
    make_keys(tmp_path / "keys")
    return tmp_path / "keys"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_them_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        made = make_keys(tmp_path / "keys")
    finally:
        os.umask(before)
    assert {path.name for path in made} == {name.rpartition("/")[2] for name in FILES}
    assert {mode(path) for path in made} == {0o600}
    assert mode(tmp_path / "keys") == mode(tmp_path / "keys" / "hosts") == 0o700
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == ["agent.key", "agent.pub", "host.key", "hosts"]


def test_no_file_is_readable_by_others_even_for_a_moment(tmp_path):
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            for path in tmp_path.rglob("*"):
                with suppress(FileNotFoundError):
                    seen.add(mode(path) & 0o077)

    before = os.umask(0)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for i in range(40):
            make_keys(tmp_path / f"keys{i}")
    finally:
        stop.set()
        thread.join()
        os.umask(before)
    assert seen == {0}


def test_both_sides_know_each_other(folder):
    agent, host = load_agent_keys(folder), load_host_keys(folder)
    assert host.agent == agent.public
    assert agent.hosts == {host.public: "host"}
    assert len({agent.public, agent.secret, host.public, host.secret}) == 4
    assert zmq.curve_public(agent.secret) == agent.public


def test_zeromq_s_own_tools_read_them(folder):
    public, secret = zmq.auth.load_certificate(folder / "agent.key")
    assert (public, secret) == (load_agent_keys(folder).public, load_agent_keys(folder).secret)
    assert zmq.auth.load_certificate(folder / "agent.pub") == (public, None)


def test_secrets_are_in_no_repr(folder):
    agent, host = load_agent_keys(folder), load_host_keys(folder)
    assert agent.secret.decode() not in f"{agent!r} {agent}"
    assert host.secret.decode() not in f"{host!r} {host}"
    assert isinstance(agent, AgentKeys)


def test_keys_that_are_there_are_not_replaced_unasked(folder):
    before = load_agent_keys(folder).public
    with pytest.raises(LinkError, match="--force"):
        make_keys(folder)
    (folder / "agent.key").unlink()
    with pytest.raises(LinkError, match=r"host\.key"):
        make_keys(folder)
    make_keys(folder, force=True)
    assert load_agent_keys(folder).public != before
    assert load_host_keys(folder).agent == load_agent_keys(folder).public
    assert {mode(folder / name) for name in FILES} == {0o600}


@pytest.mark.parametrize(
    ("name", "bits", "load"),
    [
        ("agent.key", 0o640, load_agent_keys),
        ("agent.key", 0o604, load_agent_keys),
        ("host.key", 0o644, load_host_keys),
        ("agent.pub", 0o622, load_host_keys),
        ("hosts/host.pub", 0o660, load_agent_keys),
        ("hosts", 0o770, load_agent_keys),
    ],
)
def test_what_others_could_read_or_change_is_refused_with_the_remedy(folder, name, bits, load):
    (folder / name).chmod(bits)
    with pytest.raises(LinkError, match=rf"has the mode {bits:04o}.*run `chmod [67]00 .*{name}`"):
        load(folder)


def damage(text):
    return text.replace("public-key", "public-lock")


@pytest.mark.parametrize(
    ("name", "change", "load", "sentence"),
    [
        ("agent.key", None, load_agent_keys, "No such file.*rehearse agent keys"),
        ("host.key", None, load_host_keys, "No such file.*rehearse agent keys"),
        ("agent.pub", None, load_host_keys, "No such file"),
        ("hosts/host.pub", None, load_agent_keys, "No host may connect"),
        ("agent.key", damage, load_agent_keys, "is not a key"),
        ("agent.key", lambda t: t.replace("secret-key", "old-key"), load_agent_keys, "no secret key that belongs"),
        ("agent.pub", lambda _: "", load_host_keys, "is not a key"),
        ("agent.pub", lambda t: t[:-5] + '"', load_host_keys, "is not a key"),
        ("agent.pub", lambda _: 'public-key = "' + "~" * 40 + '"', load_host_keys, "is not a key"),
        ("agent.pub", lambda _: 'public-key = "' + "#" * 40 + '"', load_host_keys, "is not a key"),
        ("agent.pub", lambda _: "\x00" * 9000, load_host_keys, "is not a key"),
    ],
)
def test_a_missing_or_malformed_key_is_one_sentence(folder, name, change, load, sentence):
    path = folder / name
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text()))
    with pytest.raises(LinkError, match=sentence) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_a_secret_that_belongs_to_another_public_key_is_refused(folder, tmp_path):
    make_keys(tmp_path / "other")
    mine, theirs = (load_host_keys(f).secret.decode() for f in (folder, tmp_path / "other"))
    path = folder / "host.key"
    path.write_text(path.read_text().replace(mine, theirs))
    with pytest.raises(LinkError, match="no secret key that belongs"):
        load_host_keys(folder)


def test_a_secret_where_a_public_key_belongs_is_refused(folder):
    (folder / "hosts" / "oops.pub").write_bytes((folder / "host.key").read_bytes())
    with pytest.raises(LinkError, match="secret key where a public one belongs"):
        load_agent_keys(folder)


def test_keys_are_not_put_where_others_write(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(LinkError, match="chmod 700"):
        make_keys(tmp_path / "shared")
    assert not list((tmp_path / "shared").rglob("*.key"))


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError, match="Cannot write keys"):
        make_keys(tmp_path / "file" / "keys")


def test_where_keys_lie(monkeypatch, tmp_path):
    monkeypatch.setenv("REHEARSE_KEYS", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("REHEARSE_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "rehearse" / "keys"
    assert f"--keys {tmp_path}" in instructions(tmp_path)
