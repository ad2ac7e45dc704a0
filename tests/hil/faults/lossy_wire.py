"""A cable of IP packets between two network namespaces that loses some, by a seed: python lossy_wire.py NS NS SHARE SEED.

Two TUN devices named `wire`, one in each namespace; whatever leaves one arrives at the other, but for the lost ones. Writes a
line with the counts of passed and lost packets when it is told to end (SIGTERM). Needs root and /dev/net/tun.
"""

import contextlib
import ctypes
import fcntl
import os
import random
import select
import signal
import struct
import sys
from pathlib import Path

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000


def open_tun(namespace):
    """Returns a descriptor of the device `wire`, made in that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/var/run/netns/{namespace}").open() as entry:
        if libc.setns(entry.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH", b"wire", _IFF_TUN | _IFF_NO_PI))
    return descriptor


def main(one, other, share, seed):
    """Carries packets until SIGTERM."""
    ends = [open_tun(one), open_tun(other)]
    # Told of the end through a pipe, so that no signal can come between a look and a wait.
    told, tell = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"x"))
    rng, counts = random.Random(seed), {"passed": 0, "lost": 0}
    print("READY", flush=True)
    while True:
        ready, _, _ = select.select([*ends, told], [], [])
        if told in ready:
            break
        for end in ready:
            packet = os.read(end, 65536)
            if rng.random() < share:
                counts["lost"] += 1
                continue
            counts["passed"] += 1
            with contextlib.suppress(OSError):  # the other end is not up yet
                os.write(ends[1 - ends.index(end)], packet)
    print(counts["passed"], counts["lost"], flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
