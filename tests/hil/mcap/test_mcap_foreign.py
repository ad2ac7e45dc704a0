"""What others make of our file: Google's protobuf decodes every message by the schema that lies in the file, and agrees."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("foxglove")
pytest.importorskip("google.protobuf")

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import SeekingReader

from scenes.taxonomy import TAXONOMY
from tests.hil.mcap_runs import FRAMES, made, write


def decoder(schema):
    """Returns what decodes messages of a schema by the file's own description, knowing nothing of this project."""
    if schema.encoding == "jsonschema":
        assert json.loads(schema.data)["type"] == "object"
        return json.loads
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name)).FromString


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path, some = tmp_path_factory.mktemp("mcap") / "r.mcap", made(30)
    write(path, some)
    decoders, found = {}, {}
    with path.open("rb") as file:
        for schema, channel, message in SeekingReader(file, validate_crcs=True, record_size_limit=2**26).iter_messages():
            decode = decoders.setdefault(schema.name, decoder(schema))
            found.setdefault(channel.topic, []).append((message, decode(message.data)))
    return some, found


def test_every_stamp_is_the_log_time(run):
    _, found = run
    for topic in ("/camera/image", "/camera/preview", "/camera/calibration", "/answer/depth", "/answer/ids", "/truth/depth"):
        for message, decoded in found[topic]:
            assert decoded.timestamp.ToNanoseconds() == message.log_time, topic
    for message, decoded in found["/tf"]:
        assert decoded.transforms[0].timestamp.ToNanoseconds() == message.log_time


def test_images_and_maps_are_as_they_were(run):
    some, found = run
    for message, image in found["/camera/image"]:
        assert (image.encoding, image.width, image.height, image.step) == ("rgb8", 64, 48, 192)
        assert np.array_equal(np.frombuffer(image.data, np.uint8).reshape(48, 64, 3), FRAMES[message.sequence].rgb)
    for message, depth in found["/answer/depth"]:
        assert (depth.encoding, depth.step) == ("32FC1", 256)
        assert depth.data == some.predictions[message.sequence].depth_m.tobytes()
    for message, ids in found["/answer/ids"]:
        assert (ids.encoding, ids.frame_id) == ("16UC1", "camera")
        answer = some.predictions[message.sequence]
        assert np.array_equal(np.frombuffer(ids.data, "<u2").reshape(48, 64), answer.segment_id)


def test_the_preview_is_a_jpeg_of_the_image(run):
    some, found = run
    for message, image in found["/camera/preview"]:
        assert image.format == "jpeg"
        shown = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        truth = FRAMES[some.frames[message.sequence].image].rgb
        assert shown.shape == truth.shape
        blocks = [cv2.resize(picture, (4, 3), interpolation=cv2.INTER_AREA).astype(int) for picture in (shown, truth)]
        assert abs(blocks[0] - blocks[1]).max() <= 4  # the image is noise, of which JPEG keeps the large parts


def test_boxes_stand_in_the_camera_frame_in_the_colour_of_their_category(run):
    some, found = run
    for message, update in found["/answer/boxes"]:
        segment = some.predictions[message.sequence].segments[0]
        (entity,) = update.entities
        (cube,) = entity.cubes
        assert entity.frame_id == "camera"
        pose, box = cube.pose, segment.box_camera
        assert (pose.position.x, pose.position.y, pose.position.z) == box.outer_from_box.position_m
        q = pose.orientation
        assert (q.w, q.x, q.y, q.z) == box.outer_from_box.quaternion_wxyz
        assert (cube.size.x, cube.size.y, cube.size.z) == box.size_m
        colour = [round(255 * v) for v in (cube.color.r, cube.color.g, cube.color.b)]
        assert tuple(colour) == TAXONOMY[segment.category_id].colour
        assert entity.texts[0].text == f"{TAXONOMY[6].name} 0.33"
        assert update.deletions[0].type == 1  # all that was shown before


def test_outlines_enclose_the_segments(run):
    some, found = run
    for message, drawn in found["/answer/annotations"]:
        answer = some.predictions[message.sequence]
        assert len(drawn.points) == len(drawn.texts) == len(answer.segments)
        for segment, points in zip(answer.segments, drawn.points, strict=True):
            v, u = np.nonzero(answer.segment_id == segment.id)
            xs, ys = [p.x for p in points.points], [p.y for p in points.points]
            assert (min(xs), min(ys), max(xs), max(ys)) == (u.min(), v.min(), u.max(), v.max())


def test_the_calibration_is_the_camera(run):
    some, found = run
    for message, camera in found["/camera/calibration"]:
        ours = FRAMES[some.frames[message.sequence].image].camera
        assert list(camera.K) == ours.matrix.ravel().tolist()
        assert (camera.width, camera.height, camera.distortion_model) == (64, 48, "plumb_bob")
        assert np.array(camera.P).reshape(3, 4)[:, :3].tolist() == ours.matrix.tolist()


def test_outcomes_fit_their_schema_and_are_exact(run):
    some, found = run
    assert [values["seq"] for _, values in found["/outcome"]] == [f.seq for f in some.frames]
    for (_, values), record in zip(found["/outcome"], some.frames, strict=True):
        assert values["due_ns"] == record.due_ns
        assert values["return_ns"] == record.return_ns
        assert values["latency_ms"] == (None if record.latency_s is None else record.latency_s * 1e3)
    assert [line.message for _, line in found["/log"]][:2] == ["a run at 15 FPS began", "frame 2 is late"]
    assert found["/log"][-1][1].message == "the run ended"
    assert found["/telemetry"][0][1]["rss_bytes"] == 10**7
