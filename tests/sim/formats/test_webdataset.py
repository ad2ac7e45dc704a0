"""Shards are plain tar files: keys in order, members aligned, bytes as in the data set, nothing of this machine in them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from itertools import groupby


def test_plain_tarfile_reads_every_file_of_every_frame(converted, dataset):
    folder = converted("webdataset", shard_frames=2)
    shards = sorted(folder.glob("shard-*.tar"))
    assert [path.name for path in shards] == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"]
    keys, kinds = [], set()
    for path in shards:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert all((m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) == (0, 0, 0, "", "", 0o644) for m in members)
            for key, group in groupby(members, key=lambda member: member.name.partition(".")[0]):
                files = {member.name.partition(".")[2]: tar.extractfile(member).read() for member in group}
                keys.append(key)
                kinds.add(tuple(files))
                for name, digest in dataset.manifest.frames[int(key)].files.items():
                    kind, _, suffix = name.rpartition(".")
                    assert hashlib.sha256(files[f"{kind.rpartition('_')[0]}.{suffix}"]).hexdigest() == digest
                assert len(files) == len(dataset.manifest.frames[int(key)].files)
    assert keys == [f"{k:06d}" for k in range(len(dataset))]
    assert len(kinds) == 1


def test_the_index_describes_the_shards(converted, dataset):
    folder = converted("webdataset", shard_frames=2)
    index = json.loads((folder / "index.json").read_bytes())
    assert [row["nsamples"] for row in index["shardlist"]] == [2, 2, 1]
    for row in index["shardlist"]:
        data = (folder / row["url"]).read_bytes()
        assert (row["filesize"], row["md5sum"]) == (len(data), hashlib.md5(data).hexdigest())
    assert (folder / "manifest.json").read_bytes() == (dataset.path / "manifest.json").read_bytes()
