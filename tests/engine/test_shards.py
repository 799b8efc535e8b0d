"""Scenes from the cache are those of the data, each is decoded once, and what cannot be kept is said."""

import dataclasses
import os
import pickle
import shutil
from types import SimpleNamespace

import pytest
import torch
from toys import ToyScenes
from training_sets import write_floods

from engine import shards
from engine.batches import LabelledSource
from engine.datasets import open_training_data
from engine.learning import Data, command_of, settings_of
from engine.protocol import BadInput, Cancelled, OutputFailed, TrainJob
from engine.reporting import Report
from engine.shards import SCENES_A_SHARD, ShardedData, build, cache_key, source_of, with_cache


class Counted(ToyScenes):
    """Toy scenes that remember which of them were decoded."""

    def read(self, number):
        self.__dict__.setdefault("decoded", []).append(number)
        return super().read(number)


def job(folder, **changes):
    values = {"data": str(folder), "save": "x", "workers": 0, "device": "cpu", "cache": str(folder / "cache")}
    return TrainJob(**{**values, **changes})


def opened(source):
    train, validation, _ = source.split(0)
    return Data(source, train, validation)


def alike(one, other):
    for spec in dataclasses.fields(one):
        first, second = getattr(one, spec.name), getattr(other, spec.name)
        if spec.name == "labels":
            assert list(first) == list(second) and all(torch.equal(first[name], second[name]) for name in first)
        elif isinstance(first, torch.Tensor):
            assert first.dtype == second.dtype and torch.equal(torch.nan_to_num(first), torch.nan_to_num(second))
        else:
            assert first == second, spec.name


@pytest.mark.parametrize("by_patch", [False, True])
def test_scenes_of_the_cache_are_those_of_the_data_and_are_decoded_once(tmp_path, by_patch):
    source = Counted(count=2 * SCENES_A_SHARD + 8, size_px=32, hazard=None if by_patch else "flood", by_patch=by_patch,
                     bad=(3,))  # fmt: skip
    cached = with_cache(job(tmp_path), opened(source), Report())
    assert sorted(source.decoded) == list(range(len(source)))
    again = with_cache(job(tmp_path), opened(source), Report()).source
    for number in (0, 1, SCENES_A_SHARD, len(source) - 1):
        alike(again.read(number), ToyScenes.read(source, number))
    assert len(source.decoded) == len(source), "neither building again nor reading decodes"
    with pytest.raises(BadInput, match="Scene 3 is damaged"):
        again.read(3)
    assert (again.name, again.hazards, len(again)) == (source.name, source.hazards, len(source))
    assert source_of(cached.source) is source


def test_files_are_read_through_the_cache_as_they_are(tmp_path):
    root = tmp_path / "floods"
    write_floods(root, {f"Ghana_{number}": "s1 s2" for number in range(6)})
    source = open_training_data(root)
    cached = with_cache(job(root, cache=str(tmp_path / "cache")), opened(source), Report()).source
    for number in range(len(source)):
        alike(cached.read(number), source.read(number))


def test_batches_are_the_same_and_reach_other_processes(tmp_path):
    plain = ToyScenes(count=12, size_px=64, hazard="flood")
    cached = with_cache(job(tmp_path), opened(plain), Report()).source
    cached.read(0)  # maps a file, which cannot travel
    cached = pickle.loads(pickle.dumps(cached))
    one, other = (LabelledSource(data, range(9), 1, 4, ("flood", "any")) for data in (plain, cached))
    for step in (0, 3):
        first, second = one.batch(step), other.batch(step)
        assert torch.equal(first.planes, second.planes) and torch.equal(first.labels, second.labels)


def test_a_cache_is_gone_on_with_where_it_was_left(tmp_path):
    source = Counted(count=4 * SCENES_A_SHARD, size_px=32)
    cancelled = Report()
    cancelled.progress = lambda done, *rest: (done >= 0.5 and cancelled.cancelled.set()) or cancelled.check()
    with pytest.raises(Cancelled):
        with_cache(job(tmp_path), opened(source), cancelled)
    before = len(source.decoded)
    assert before == 2 * SCENES_A_SHARD
    with_cache(job(tmp_path), opened(source), Report())
    assert len(source.decoded) == len(source) and len(set(source.decoded)) == len(source)


def test_unfinished_shards_of_processes_that_are_gone_are_removed(tmp_path):
    source = ToyScenes(count=4, size_px=32)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / ".000000.safetensors.999999999.partial").write_bytes(b"x")
    (folder / f".000000.safetensors.{os.getpid()}.partial").write_bytes(b"x")  # of a process that lives
    build(source, range(4), folder, 1e9, 0, Report())
    assert [path.name for path in folder.iterdir()] == ["000000.safetensors"]


def test_other_data_or_another_reading_has_shards_of_its_own(tmp_path):
    source = ToyScenes(count=8, hazard="flood")
    (tmp_path / "a.tif").write_bytes(b"one")
    key = cache_key(job(tmp_path), opened(source))
    assert cache_key(job(tmp_path, batch_size=4, seed=3), opened(source)) == key
    assert cache_key(job(tmp_path, positive=(2,)), opened(source)) != key
    assert cache_key(job(tmp_path), opened(ToyScenes(count=9, hazard="flood"))) != key
    (tmp_path / "a.tif").write_bytes(b"other")
    assert cache_key(job(tmp_path), opened(source)) != key


def test_what_does_not_fit_is_decoded_anew(tmp_path):
    source = Counted(count=3 * SCENES_A_SHARD, size_px=32)
    size = (4 + 1) * 32 * 32 * 4 * SCENES_A_SHARD  # about: values and labels
    told = []
    report = Report(on_log=lambda level, text: told.append(text))
    cached = with_cache(job(tmp_path, cache_gb=max(0.001, 1.9 * size / 1e9)), opened(source), report).source
    kept = len(cached.numbers)
    assert kept % SCENES_A_SHARD == 0 and 0 < kept < len(source) and f"{kept} of {len(source)} scenes fit" in told[0]
    source.decoded.clear()
    cached.read(kept)
    cached.read(kept - 1)
    assert source.decoded == [kept]


def test_a_disk_that_is_too_small_is_told_before_all_is_decoded(tmp_path, monkeypatch):
    source = Counted(count=3 * SCENES_A_SHARD, size_px=32)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=shards.RESERVED_BYTES + 1000))
    with pytest.raises(OutputFailed, match=r"GB free, the cache needs about .* GB"):
        with_cache(job(tmp_path), opened(source), Report())
    assert len(source.decoded) == SCENES_A_SHARD


def test_a_full_disk_leaves_no_half_shard(small_disk):
    source = ToyScenes(count=SCENES_A_SHARD, size_px=128)
    with pytest.raises(OutputFailed, match="free some space"):
        build(source, range(SCENES_A_SHARD), small_disk / "cache", 1e9, 0, Report())
    assert list((small_disk / "cache").iterdir()) == []


def test_a_damaged_shard_is_said_to_be_one(tmp_path):
    cached = with_cache(job(tmp_path), opened(ToyScenes(count=8)), Report()).source
    path = next(cached.folder.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInput, match="is damaged or gone; delete"):
        cached.read(0)


def test_simulated_scenes_are_not_cached(tmp_path):
    with pytest.raises(BadInput, match="drop it"):
        with_cache(job(tmp_path), None, Report())
    assert with_cache(job(tmp_path, cache=None), None, Report()) is None


def test_a_cache_changes_neither_what_can_be_resumed_nor_the_command_of_the_card(tmp_path):
    plain, cached = job(tmp_path, cache=None), job(tmp_path, cache_gb=5.0)
    assert settings_of("train", plain) == settings_of("train", cached)
    assert command_of("train", plain) == command_of("train", cached)


def test_few_maps_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "MOST_OPEN", 2)
    monkeypatch.setattr(shards, "SCENES_A_SHARD", 2)
    source = ToyScenes(count=12, size_px=32)
    build(source, range(12), tmp_path / "cache", 1e9, 0, Report())
    cached = ShardedData(source, tmp_path / "cache", range(12))
    for number in range(12):
        alike(cached.read(number), source.read(number))
    assert len(cached._open) == 2
