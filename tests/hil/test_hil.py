import subprocess
import sys
from pathlib import Path

import hil

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_is_there_and_sorted():
    assert all(getattr(hil, name) is not None for name in hil.__all__)
    assert hil.__all__ == sorted(hil.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert set(hil.__all__) == set(hil._HOME)


def test_importing_the_room_imports_nothing_heavy():
    code = "import sys, hil; assert not {'numpy', 'zmq', 'cv2', 'msgpack'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
