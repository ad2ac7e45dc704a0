"""Digests are the dict that they were made from, in order and by pickle, and take a fraction of its memory."""

from __future__ import annotations

import hashlib
import pickle
import tracemalloc

import pytest

from sim._digests import Digests

KINDS = [f"kind_{k}" for k in range(20)]


def files_of(number: int) -> dict[str, str]:
    return {f"{kind}_{number:04d}.png": hashlib.sha256(f"{kind}{number}".encode()).hexdigest() for kind in KINDS}


@pytest.mark.parametrize(
    "names",
    [
        list(files_of(7)),
        list(files_of(123456)),
        ["left/rgb/rgb_0007.png", "left/normals_0007.npy"],
        ["rgb_0007.png", "rgb_0008.png"],
        ["notes.txt", "rgb_0007.png"],
        ["a_0001_0002.png"],
        [],
    ],
)
def test_it_is_the_dict_it_was_made_from(names):
    files = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    digests = Digests(files)
    assert dict(digests) == files == digests == Digests(digests) == pickle.loads(pickle.dumps(digests))
    assert list(digests.items()) == list(files.items())
    assert all(digests[name] == digest for name, digest in files.items())
    assert hash(digests) == hash(Digests(files))
    assert "other_0001.png" not in digests
    with pytest.raises(KeyError):
        digests["other_0001.png"]


@pytest.mark.parametrize("digest", ["", "00", "zz" * 32, "AB" * 32, " " * 64])
def test_what_is_no_sha256_is_refused(digest):
    with pytest.raises(ValueError, match=r"sha256|fromhex"):
        Digests({"rgb_0000.png": digest})


def test_a_thousand_frames_take_less_than_a_third_of_the_memory_of_dicts():
    def bytes_of(make) -> int:
        tracemalloc.start()
        held = [make(files_of(k)) for k in range(1000)]
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(held) == 1000
        return size

    assert bytes_of(Digests) < bytes_of(dict) / 3
