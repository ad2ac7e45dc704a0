"""Depth-aware video panoptic quality: a slow, literal reading of the paper as oracle, and cases that are known on paper."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from perception.prediction import Prediction, Segment
from perception.scoring import score_frames
from perception.scoring.clips import clip_of, follows, has_clips
from perception.scoring.dvpq import WINDOWS, Moment, join_moments, still, tube_counts, tube_figures
from perception.scoring.follow import Follower
from perception.scoring.frame_score import score_frame
from perception.scoring.tracks import NEW, link_segments
from perception.scoring.tubes import LAMBDAS
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.frame import Frame, ObjectTruth, Truth
from tests.perception.scoring.label_maps import (
    BOTTLE,
    BOWL,
    CUP,
    TABLE,
    WALL,
    make_camera,
    noisy_prediction,
    random_box,
)

KINDS = [CUP, BOWL, BOTTLE, CUP]


def all_counts(runs, *, step=1):
    """Returns the counts of every run and how many windows there are, as arrays."""
    totals, numbers = zip(*tube_counts(runs, step=step), strict=True)
    return np.array(totals), np.array(numbers)


def moving_clip(rng, length=7, clip="fake/000000/camera_0", gone=()):
    """Returns the frames of a clip in which things move and one is `gone` at times; ids are stable, their order is not."""
    camera, frames = make_camera(), []
    height, width = camera.height, camera.width
    for t in range(length):
        semantic = np.full((height, width), TABLE, dtype=np.uint8)
        semantic[: height // 3] = WALL
        instance = np.zeros((height, width), dtype=np.uint16)
        records = []
        for k, category in enumerate(KINDS, start=1):
            u = 4 + 10 * (k - 1) + t // 2 * (1 if k % 2 else -1)
            if k == 3 and t in gone:
                continue
            instance[12 : 12 + 9, max(u, 0) : u + 8] = 10 * k
            semantic[12 : 12 + 9, max(u, 0) : u + 8] = category
            records.append(
                ObjectTruth(
                    instance_id=10 * k, category_id=category, body_name=f"thing_{k}", visible_box_px=None,
                    amodal_box_px=(0, 0, 9, 9), visible_fraction=1.0, box_world=random_box(rng), world_from_body=Pose(),
                )
            )  # fmt: skip
        depth_m = rng.uniform(0.5, 2.0, (height, width)).astype(np.float32)
        depth_m[:, :5] = np.inf
        semantic[-3:], instance[-3:] = 0, 0
        rng.shuffle(records)
        shown = {int(i) for i in np.unique(instance)}
        truth = Truth(
            depth_m=depth_m, semantic=semantic, instance=instance,
            objects=tuple(r for r in records if r.instance_id in shown),
        )  # fmt: skip
        name = f"{clip}-{t:04d}"
        frames.append(Frame(name=name, rgb=np.zeros((height, width, 3), dtype=np.uint8), camera=camera, truth=truth))
    return frames


def answer_of(frame, rng, spread=0.4):
    """Returns a wrong answer: moved masks, some wrong categories, depth off by up to `spread`, with a few impossible values."""
    noisy = noisy_prediction(frame, rng)
    depth = frame.truth.depth_m * rng.uniform(1 - spread, 1 + 2 * spread, frame.truth.depth_m.shape)
    depth = np.where(np.isfinite(depth), depth, 1).astype(np.float32)
    depth[5, 5:9] = (np.nan, 0.0, -1.0, np.inf)
    return Prediction(segment_id=noisy.segment_id, segments=noisy.segments, depth_m=depth)


def oracle(runs, k, limit, step=1):
    """DVPQ(k, limit) counts {category: [TP, FP, FN, IoU]} pixel by pixel from (frame, prediction, tracks of segments).

    For every window: the k maps of truth and of prediction lie side by side as one long image, as in the paper's reference
    code; a predicted pixel is void where the true depth is known and |d_hat - d| / d > limit; then panoptic quality.
    """
    found = defaultdict(lambda: [0, 0, 0, 0.0])
    for run in runs:
        for begin in range(len(run) - (k - 1) * step):
            truth_px, predicted_px = [], []
            for frame, prediction, tracks in run[begin : begin + (k - 1) * step + 1 : step]:
                height, width = frame.truth.semantic.shape
                for v in range(height):
                    for u in range(width):
                        category, instance = int(frame.truth.semantic[v, u]), int(frame.truth.instance[v, u])
                        truth_px.append((category, instance) if category else None)
                        predicted_px.append(_predicted(frame, prediction, tracks, v, u, limit))
            _count(truth_px, predicted_px, found)
    return found


def _predicted(frame, prediction, tracks, v, u, limit):
    if prediction is None or prediction.segment_id[v, u] == 0:
        return None
    d, d_hat = float(frame.truth.depth_m[v, u]), float(prediction.depth_m[v, u])
    if limit is not None and np.isfinite(d) and d > 0 and not abs(d_hat - d) / d <= limit:
        return None
    at = [s.id for s in prediction.segments].index(prediction.segment_id[v, u])
    return prediction.segments[at].category_id, int(tracks[at])


def _count(truth_px, predicted_px, found):
    true, predicted, both, on_void = (defaultdict(int) for _ in range(4))
    for t, p in zip(truth_px, predicted_px, strict=True):
        true[t] += 1
        predicted[p] += 1
        both[t, p] += 1
        on_void[p] += t is None
    matched_true, matched_predicted = set(), set()
    for (t, p), shared in both.items():
        if t is not None and p is not None and t[0] == p[0]:
            iou = shared / (true[t] + predicted[p] - shared - on_void[p])
            if iou > 0.5:
                matched_true.add(t)
                matched_predicted.add(p)
                found[t[0]][0] += 1
                found[t[0]][3] += iou
    for t in true:
        if t is not None and t not in matched_true:
            found[t[0]][2] += 1
    for p in predicted:
        if p is not None and p not in matched_predicted and on_void[p] <= 0.5 * predicted[p]:
            found[p[0]][1] += 1


def quality_of(found):
    return float(np.mean([iou / (tp + fp / 2 + fn / 2) for tp, fp, fn, iou in found.values()]))


def followed(pairs, tracks="linked"):
    follower = Follower(tracks)
    for frame, prediction in pairs:
        follower.add(score_frame(frame, prediction), prediction)
    return follower.runs


@pytest.fixture
def two_clips(rng):
    frames = moving_clip(rng, 5, gone=(2, 3)) + moving_clip(rng, 4, "fake/000001/camera_0")
    return [(frame, None if k == 2 else answer_of(frame, rng)) for k, frame in enumerate(frames)]


@pytest.mark.parametrize("step", [1, 2])
def test_it_is_the_papers_formula_read_literally(two_clips, step):
    runs = followed(two_clips)
    assert [len(run) for run in runs] == [5, 4]
    moments = iter(m for run in runs for m in run)
    literal = [[(*pair, next(moments).tracks) for pair in pairs] for pairs in (two_clips[:5], two_clips[5:])]
    per_run, _ = all_counts(runs, step=step)
    for at, k in enumerate(WINDOWS):
        for table, limit in enumerate((*LAMBDAS, None)):
            expected = oracle(literal, k, limit, step)
            counts = per_run.sum(axis=0)[at, table]
            assert {c for c in range(len(TAXONOMY)) if counts[c].any()} == set(expected)
            for category, values in expected.items():
                assert counts[category] == pytest.approx(values)
    if step == 1:
        figures = tube_figures(runs)
        grid = [quality_of(oracle(literal, k, limit)) for k in WINDOWS for limit in LAMBDAS]
        assert figures["dvpq"].value == pytest.approx(np.mean(grid))
        assert figures["dvpq_k3_l25"].value == pytest.approx(quality_of(oracle(literal, 3, 0.25)))
        assert figures["dvpq"].n == 9


def test_single_frames_without_depth_are_panoptic_quality(two_clips):
    scores = score_frames(two_clips)
    assert scores["vpq_k1"].value == pytest.approx(scores["pq"].value, rel=1e-12)
    runs = followed(two_clips)
    together = sum(m.score.panoptic for run in runs for m in run)
    assert all_counts(runs)[0].sum(axis=0)[0, -1] == pytest.approx(together, rel=1e-12)


def exact(frame, depth=1.0, identity=None):
    """Returns the truth as an answer whose depth is `depth` times the true one."""
    truth = frame.truth
    ids = np.where(truth.instance > 0, 1000 + truth.instance.astype(np.int32), truth.semantic).astype(np.int32)
    categories = {int(i): int(truth.semantic[ids == i][0]) for i in np.unique(ids[ids > 0])}
    if identity is not None:
        ids = np.vectorize(lambda i: identity(int(i)) if i else 0)(ids).astype(np.int32)
        categories = {identity(i): c for i, c in categories.items()}
    segments = tuple(Segment(id=i, category_id=c, score=1.0, depth_m=1.0) for i, c in categories.items())
    depth_m = np.where(np.isfinite(truth.depth_m), truth.depth_m * np.float32(depth), 1).astype(np.float32)
    return Prediction(segment_id=ids, segments=segments, depth_m=depth_m)


@pytest.fixture
def clip(rng):
    return moving_clip(rng)


def test_a_perfect_answer_is_perfect(clip):
    scores = score_frames((frame, exact(frame)) for frame in clip)
    for key in ("dvpq", "dvpq_things", "dvpq_stuff", "vpq", "dpq"):
        assert scores[key].value == pytest.approx(1.0)


def test_depth_off_by_a_fifth_passes_two_tolerances_of_three(rng):
    frames = moving_clip(rng)
    for frame in frames:
        frame.truth.depth_m.setflags(write=True)
        frame.truth.depth_m[:] = 1.0  # so that every pixel has a depth
    scores = score_frames((frame, exact(frame, 1.2)) for frame in frames)
    assert [scores[f"dvpq_k2_l{limit}"].value for limit in (10, 25, 50)] == pytest.approx([0, 1, 1])
    assert scores["dvpq"].value == pytest.approx(2 / 3)
    assert scores["vpq"].value == pytest.approx(1)


def test_a_pixel_without_a_true_depth_cannot_become_void(rng):
    frames = moving_clip(rng)
    for frame in frames:
        frame.truth.depth_m.setflags(write=True)
        frame.truth.depth_m[:] = np.inf
    assert score_frames((frame, exact(frame, 9.0)) for frame in frames)["dvpq"].value == pytest.approx(1)


def test_ids_that_change_cost_tubes_where_they_are_taken_as_given(rng):
    """Two cups that swap their ids in every frame: single frames are perfect, no cup's tube of two frames is."""
    clip = moving_clip(rng)
    swapped = {1010: 1040, 1040: 1010}
    pairs = [(f, exact(f, identity=(lambda i: swapped.get(i, i)) if t % 2 else (lambda i: i))) for t, f in enumerate(clip)]
    given, linked = (tube_figures(followed(pairs, tracks)) for tracks in ("given", "linked"))
    assert given["vpq_k1"].value == pytest.approx(1)
    assert given["vpq_k2"].value < 0.9
    assert linked["vpq_k2"].value == pytest.approx(1)  # the masks say which is which


def test_a_thing_that_comes_back_is_a_new_track(rng):
    """The rule joins an answer with the one before it only: of a true tube that was away, half is found twice."""
    frames = moving_clip(rng, gone=(2, 3))
    figures = score_frames((frame, exact(frame)) for frame in frames)
    assert figures["vpq_k3"].value == pytest.approx(1)
    assert figures["vpq_k4"].value < 1


def test_stills_have_no_figure_over_time(clip):
    scores = score_frames([(clip[0], exact(clip[0]))])
    assert scores["dpq"].value == pytest.approx(1)
    assert scores["dvpq"].value is None
    assert scores["dvpq"].reason == "no 2 frames of a clip follow each other"
    assert scores["dvpq_k2_l10"].n == 0


def test_links_go_to_the_same_category_and_the_largest_overlap(clip):
    one, two = exact(clip[0]), exact(clip[1])
    link = link_segments(one, two)
    assert [two.segments[k].id for k in range(len(link))] == [one.segments[i].id for i in link]
    segments = tuple(replace(s, category_id=BOTTLE if s.category_id == BOWL else s.category_id) for s in two.segments)
    other = Prediction(segment_id=two.segment_id, depth_m=two.depth_m, segments=segments)
    link = link_segments(one, other)
    # Two bottles now, one of which continues nothing.
    assert [other.segments[k].category_id for k in range(len(link)) if link[k] == NEW] == [BOTTLE]


def test_stuff_is_joined_whatever_it_shares(clip):
    def half(columns):
        ids = np.zeros((36, 48), np.int32)
        ids[:, columns] = 7
        one = (Segment(id=7, category_id=TABLE, score=1.0, depth_m=1.0),)
        return Prediction(segment_id=ids, segments=one, depth_m=np.ones((36, 48), np.float32))

    left, right = half(slice(0, 20)), half(slice(30, 48))
    assert link_segments(left, right).tolist() == [0]
    as_thing = (Segment(id=7, category_id=CUP, score=1.0, depth_m=1.0),)
    cups = [Prediction(segment_id=p.segment_id, segments=as_thing, depth_m=p.depth_m) for p in (left, right)]
    assert link_segments(*cups).tolist() == [NEW]


def test_an_answer_that_is_missing_is_bridged(clip):
    predictions = [exact(clip[0]), None, exact(clip[2])]
    run = followed(zip(clip, predictions, strict=False))[0]
    assert set(run[2].tracks) == set(run[0].tracks)
    links = [np.full(len(run[0].tracks), NEW, np.int32), np.empty(0, np.int32), link_segments(predictions[0], predictions[2])]
    again = join_moments([m.score for m in run], links)
    assert [m.tracks.tolist() for m in again] == [m.tracks.tolist() for m in run]


def test_numbers_of_tracks_mean_nothing(two_clips, rng):
    runs = followed(two_clips)
    names = rng.permutation(10_000)
    renamed = [[Moment(score=m.score, tracks=names[m.tracks]) for m in run] for run in runs]
    assert all_counts(renamed)[0] == pytest.approx(all_counts(runs)[0])


def test_a_clip_ends_where_another_begins(clip):
    scores = [score_frame(frame, None) for frame in clip]
    assert all_counts([[still(s)] for s in scores])[1].sum(axis=0).tolist() == [7, 0, 0, 0]
    assert all_counts([[still(s) for s in scores]])[1].tolist() == [[7, 6, 5, 4]]
    assert all_counts([[still(s) for s in scores]], step=3)[1].tolist() == [[7, 4, 1, 0]]


def test_names_tell_clips():
    assert clip_of("a/b-0012") == ("a/b", 12)
    assert clip_of("a/camera_0") == ("a/camera_0", 0)
    assert has_clips(["a/b-0000", "a/b-0001"])
    assert not has_clips(["a/camera_0", "a/camera_1"])
    assert not has_clips([])
    assert follows("a/b-0005", "a/b-0003")
    assert not any(follows(*pair) for pair in (("a/b-0000", "a/b-0003"), ("a/c-0001", "a/b-0000"), ("a/b", "a/b")))
