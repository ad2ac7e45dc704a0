import json

import pytest

from hil.session import OUTCOMES, FrameRecord, load_session, save_session
from scenes.errors import DatasetError
from tests.hil.records import answered, missed, session


def test_outcomes_add_up_to_the_due_frames():
    records = [answered(0, 0.1, warm_up=True), answered(1, 0.01), answered(2, 0.1, late=True)]
    records += [missed(3 + i, outcome) for i, outcome in enumerate(OUTCOMES[2:])]
    made = session(records)
    assert made.outcomes() == dict.fromkeys(OUTCOMES, 1)
    assert sum(made.outcomes().values()) == len(made.due) == len(records) - 1
    assert made.first_frame_s == pytest.approx(0.1)


def test_a_session_survives_the_disk(tmp_path):
    made = session([answered(0, 0.01), missed(1, "lost")], fault="The agent died.")
    save_session(made, tmp_path / "deep" / "session.json")
    read = load_session(tmp_path / "deep" / "session.json")
    assert read.frames == made.frames
    assert read.to_dict() == made.to_dict()
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "session.json"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format=1),
        lambda d: d.pop("frames"),
        lambda d: d.update(surprise=1),
        lambda d: d["frames"][0].pop(),
        lambda d: d["columns"].__setitem__(0, "unknown"),
        lambda d: d["frames"][0].__setitem__(d["columns"].index("outcome"), "fine"),
        lambda d: d["frames"][0].__setitem__(d["columns"].index("return_ns"), None),
    ],
    ids=["format", "no frames", "unknown key", "short row", "unknown column", "unknown outcome", "contradiction"],
)
def test_a_damaged_session_is_refused(tmp_path, change):
    values = session([answered(0, 0.01)]).to_dict()
    change(values)
    path = tmp_path / "session.json"
    path.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=r"session\.json is not a session"):
        load_session(path)


def test_no_file_and_no_json_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="Cannot read"):
        load_session(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"format": 1, "fra')
    with pytest.raises(DatasetError, match="not a session"):
        load_session(tmp_path / "half.json")


def test_an_answered_frame_has_a_return_stamp():
    with pytest.raises(ValueError, match="return stamp"):
        FrameRecord(seq=0, image=0, warm_up=False, outcome="on_time", due_ns=0)
