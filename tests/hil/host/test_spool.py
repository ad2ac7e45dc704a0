"""A frame comes out of the spool as it went in, whatever its size and its place."""

from dataclasses import replace

import numpy as np
import pytest

from hil.host.spool import Shell, Spool, frame_bytes
from tests.hil.conftest import make_frame

SIZE = (17, 13)


def frame_of(index):
    frame = make_frame(index, *SIZE)
    rng = np.random.default_rng(index)
    depth = rng.uniform(0.1, 9.0, frame.truth.depth_m.shape).astype(np.float32)
    depth[0, 0] = np.inf
    return replace(frame, truth=replace(frame.truth, depth_m=depth), time_s=index / 15)


def test_frames_come_back_in_any_order_to_another_opening(tmp_path):
    frames = [frame_of(i) for i in range(4)]
    writer = Spool(tmp_path / "frames", SIZE, create=True)
    for number in (2, 0, 3, 1):
        writer.write(number, frames[number])
    reader = Spool(tmp_path / "frames", SIZE)
    assert (tmp_path / "frames").stat().st_size == 4 * frame_bytes(SIZE)
    for number, frame in enumerate(frames):
        back = reader.frame(number, Shell.of(frame))
        assert np.array_equal(back.rgb, frame.rgb)
        assert np.array_equal(reader.rgb(number), frame.rgb)
        assert np.array_equal(back.truth.depth_m, frame.truth.depth_m)
        assert np.array_equal(back.truth.semantic, frame.truth.semantic)
        assert np.array_equal(back.truth.instance, frame.truth.instance)
        assert (back.name, back.camera, back.time_s) == (frame.name, frame.camera, frame.time_s)
    writer.close()
    reader.close()
    reader.close()


def test_what_was_not_written_is_no_frame(tmp_path):
    spool = Spool(tmp_path / "frames", SIZE, create=True)
    spool.write(0, frame_of(0))
    with pytest.raises(EOFError):
        spool.rgb(1)
    with pytest.raises(FileExistsError):
        Spool(tmp_path / "frames", SIZE, create=True)
    spool.close()
