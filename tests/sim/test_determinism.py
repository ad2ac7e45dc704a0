"""Scenes and labels are the same bytes in any order, in any process and whatever the hash seed of the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

SCENES = 3

MAKE = """
import hashlib, json, sys
from sim._frame_files import frame_files
from sim.backend import open_backend
from sim.difficulty.clearance import clearances_m
from sim.proof.check import prove
from sim.proof.raycast import RayCaster
from sim.rebuild import look
from sim.realize import realize

backend, found = open_backend("mujoco"), {}
for index in json.loads(sys.argv[1]):
    scene, rejected = realize(backend, "tabletop", split="train", seed=5, index=index)
    frame = look(backend, scene, scene.cameras[index % 3].name, size=(64, 48))
    files = frame_files(frame, 0, clearances_m(scene))
    proof = prove(frame, RayCaster(scene)).agreement.to_dict()
    found[str(index)] = [scene.digest(), rejected, proof, {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}]
print(json.dumps(found))
"""


def made(root_dir, order: list[int], hash_seed: int) -> dict:
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(root_dir)}
    command = [sys.executable, "-c", MAKE, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root_dir, env=environment, timeout=250)
    return json.loads(done.stdout)


def test_any_order_and_any_hash_seed_give_the_same_scenes_labels_and_proofs(root_dir):
    forwards, backwards = made(root_dir, [*range(SCENES)], 1), made(root_dir, [*range(SCENES)][::-1], 4242)
    assert forwards == backwards
    digests = [forwards[str(k)][0] for k in range(SCENES)]
    assert len(set(digests)) == SCENES
    assert len(forwards["0"][3]) >= 18
