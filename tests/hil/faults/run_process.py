"""A run in a process of its own, as another machine's host: python run_process.py ADDRESS SECONDS WIDTH OUT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hil.host.runner import run_session
from hil.host.warm_up import WarmUp
from hil.session import save_session
from tests.hil.conftest import make_frame

if __name__ == "__main__":
    address, seconds, width, out = sys.argv[1:]
    many = [make_frame(i, int(width), int(width) * 3 // 4) for i in range(round(float(seconds) * 15) + 10)]
    rule = WarmUp(frames=4, seconds=0.0, windows=0)
    print("RUNNING", flush=True)
    session = run_session(many, device=address, duration_s=float(seconds), warm_up=rule, insecure=True, compress="never")
    save_session(session, Path(out))
