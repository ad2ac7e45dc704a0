import hashlib
import subprocess

import pytest

from benchmarks.shipped import SHIPPED_ENGINE
from hil.agent.serve import serve
from perception.digest import UNSIGNED, check_digest, manifest_path, write_digest
from perception.engine import open_engine, read_model_file
from scenes.errors import EngineError
from tests.perception.tiny_engine import write_tiny


@pytest.fixture
def tiny(tmp_path):
    return write_tiny(tmp_path / "tiny.onnx")


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_written_digest_is_checked_by_us_and_by_sha256sum(tiny):
    assert write_digest(tiny) == manifest_path(tiny) == tiny.with_name("tiny.onnx.sha256")
    assert check_digest(tiny, digest_of(tiny)) == "tiny.onnx.sha256"
    subprocess.run(["sha256sum", "-c", "tiny.onnx.sha256"], check=True, cwd=tiny.parent, stdout=subprocess.DEVNULL)


def test_the_shipped_engine_has_its_digest():
    assert read_model_file(SHIPPED_ENGINE).checked == f"{SHIPPED_ENGINE.name}.sha256"


def test_a_changed_byte_is_found_before_any_library_sees_it(tiny):
    write_digest(tiny)
    data = bytearray(tiny.read_bytes())
    data[len(data) // 2] ^= 1
    tiny.write_bytes(data)
    with pytest.raises(EngineError, match=r"not the engine that was meant: .*[0-9a-f]{64}, but .* by tiny\.onnx\.sha256"):
        open_engine(tiny, "onnxruntime", threads=1)


def test_a_pinned_digest_counts_even_where_the_folder_agrees_with_itself(tiny):
    write_digest(tiny)
    assert open_engine(tiny, "onnxruntime", threads=1, sha256=digest_of(tiny).upper()).settings["sha256"] == (
        "pinned and tiny.onnx.sha256"
    )
    with pytest.raises(EngineError, match="by pinned"):
        open_engine(tiny, "onnxruntime", threads=1, sha256="0" * 64)
    with pytest.raises(EngineError, match="64 hexadecimal digits"):
        open_engine(tiny, "onnxruntime", threads=1, sha256="0f52")


def test_a_file_without_a_digest_says_so_or_is_refused(tiny):
    assert open_engine(tiny, "onnxruntime", threads=1).settings["sha256"] == UNSIGNED
    with pytest.raises(EngineError, match=f"--sha256 {digest_of(tiny)}"):
        open_engine(tiny, "onnxruntime", threads=1, unsigned=False)
    assert read_model_file(tiny, sha256=digest_of(tiny), unsigned=False).checked == "pinned"


TWO = f"{'0' * 64}  a\n{'1' * 64}  b"


@pytest.mark.parametrize("line", ["", "hello", "0f52  tiny.onnx", "0" * 63 + "g  x", TWO, "\x00" * 9000])
def test_what_is_no_line_of_sha256sum_is_refused(tiny, line):
    manifest_path(tiny).write_text(line)
    with pytest.raises(EngineError, match="one line as sha256sum"):
        read_model_file(tiny)


def test_an_agent_that_others_reach_opens_nothing_unchecked(tiny):
    with pytest.raises(EngineError, match=r"where other machines reach the agent"):
        serve(tiny, "tcp://0.0.0.0:*", insecure=True, threads=1)
    with pytest.raises(EngineError, match="by pinned"):
        serve(tiny, "tcp://127.0.0.1:*", sha256="0" * 64, threads=1)
