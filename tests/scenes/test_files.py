"""A reader of a published file sees the old bytes or the new ones, whatever happens to the writer."""

import os
import subprocess
import sys
import threading

import pytest

from scenes.files import whole_file, write_whole

ROOM_FOR = 1 << 20


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("sync", [False, True], ids=["unsynced", "synced"])
def test_the_old_file_stays_until_the_block_ends(tmp_path, sync):
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path, sync=sync) as staging:
        staging.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.json"]


def test_a_reader_never_sees_a_part(tmp_path):
    path = tmp_path / "big.bin"
    versions = [bytes([i]) * ROOM_FOR for i in range(2)]
    write_whole(path, versions[0])
    done = threading.Event()

    def rewrite():
        for i in range(20):
            write_whole(path, versions[(i + 1) % 2])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(path.read_bytes())
    writer.join()
    assert seen <= set(versions)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.usda"
    path.write_text("old")
    with pytest.raises(error, match="on the way"), whole_file(path) as staging:  # noqa: PT012  # it is the block that fails
        staging.write_text("half")
        (staging.parent / "scratch").write_text("what a writer leaves beside it")
        raise error("on the way")
    assert names(tmp_path) == ["a.usda"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("sync", [False, True], ids=["unsynced", "synced"])
def test_a_writer_that_wrote_nothing_is_an_error(tmp_path, sync):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a", sync=sync):
        pass
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("name", ["s.usdc", "s.usdz", "net.tar.gz", "plain", ".hidden.json"])
def test_staging_keeps_the_name_hidden_and_on_the_same_disk(tmp_path, name):
    with whole_file(tmp_path / name) as staging:
        assert staging.name == name
        assert staging.parent.parent == tmp_path
        assert staging.parent.name.startswith(".")
        assert list(staging.parent.iterdir()) == []
        staging.touch()
    assert names(tmp_path) == [name]


def test_two_writers_of_one_path_do_not_meet(tmp_path):
    path = tmp_path / "a"
    with whole_file(path) as first:
        first.write_text("first")
        with whole_file(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"


def test_text_is_utf8_and_bytes_are_themselves(tmp_path):
    write_whole(tmp_path / "text", "Grüße\n")
    write_whole(tmp_path / "bytes", b"\r\n\0\xff", sync=True)
    assert (tmp_path / "text").read_bytes() == "Grüße\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\r\n\0\xff"


def test_others_may_read_it_as_any_file(tmp_path):
    (tmp_path / "plain").write_text("")
    write_whole(tmp_path / "whole", "")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_content_is_synced_before_it_is_in_place(tmp_path, monkeypatch):
    path = tmp_path / "a"
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((os.pread(handle, 9, 0), path.exists())))
    write_whole(path, "unsynced")
    path.unlink()
    write_whole(path, "new", sync=True)
    assert synced == [(b"new", False)]


def test_no_folder_and_a_folder_in_the_way_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "a", "")
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "taken", "")
    assert names(tmp_path) == ["taken"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    (tmp_path / "a").write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path; from scenes.files import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as staging:\n"
        "    staging.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False, timeout=60).returncode == -9
    assert (tmp_path / "a").read_text() == "old"
    assert [name for name in names(tmp_path) if not name.startswith(".")] == ["a"]
