"""Looking after models: what is let in, what is not, and what is left behind (nothing)."""

import dataclasses
import hashlib
import io
import json
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from scenes import write_raster

from engine import model_archive
from engine.__main__ import main
from engine.cards import ModelCard, default_model, default_trouble, find_parent, list_models, read_card, user_folder
from engine.model import build_network, load_model, save_adapted, save_model
from engine.model_archive import read_header
from engine.model_store import delete_model, export_model, import_model, set_default
from engine.planes import PLANES
from engine.protocol import (
    BadInput,
    Cancelled,
    DefaultModelJob,
    DeleteModelJob,
    ExportModelJob,
    ImportModelJob,
    OutputFailed,
    SegmentJob,
)
from engine.reporting import Report
from engine.segment import segment

ROOT = Path(__file__).resolve().parents[2]
FILES = ("SHA256SUMS", "card.json", "weights.safetensors")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Folder of a small sound model."""
    torch.manual_seed(0)
    card = ModelCard(
        name="small",
        title="Small",
        architecture="unet",
        encoder="tu-mobilenetv3_small_050",
        hazards=("flood", "landslide"),
        thresholds={"flood": 0.4, "landslide": 0.6},
        planes=PLANES,
        decoder_channels=(16, 8, 8, 8, 4),
        detail_channels=4,
        default_for=("flood",),
        score=1.0,
    )
    folder = tmp_path_factory.mktemp("original") / "small"
    save_model(build_network(card).eval(), card, folder)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "user models"
    monkeypatch.setenv("HAZARD_MODELS", str(folder))
    return folder


@pytest.fixture
def model(original, tmp_path):
    return shutil.copytree(original, tmp_path / "given" / "small")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def reseal(folder):
    names = ("card.json", "weights.safetensors")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums))


def pack(path, entries, compression=zipfile.ZIP_STORED):
    """Zip of (name or ZipInfo, content) pairs, as they come."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content, compression)
    return path


def packed(path, folder, prefix="small/"):
    return pack(path, [(prefix + name, content) for name, content in contents(folder).items()])


def refused(path, home, match=None, **options):
    """One sentence, and nothing left behind."""
    before = sorted(p.name for p in home.iterdir()) if home.is_dir() else []
    with pytest.raises(BadInput, match=match) as error:
        import_model(ImportModelJob(path=str(path), **options))
    sentence = str(error.value)
    assert "\n" not in sentence and len(sentence) < 600 and ".partial" not in sentence, sentence
    assert (sorted(p.name for p in home.iterdir()) if home.is_dir() else []) == before
    return sentence


def adapt(parent_folder, name, folder):
    """A model that holds one tensor of its own."""
    card = read_card(parent_folder)
    digest = hashlib.sha256((parent_folder / "weights.safetensors").read_bytes()).hexdigest()
    card = dataclasses.replace(
        card, name=name, parent=parent_folder.name, parent_sha256=digest, adapted_for="flood", default_for=()
    )
    tensors = safetensors.torch.load_file(parent_folder / "weights.safetensors")
    save_adapted({"hazard_head.bias": tensors["hazard_head.bias"].float() + 1}, card, folder)
    return folder


def test_a_folder_and_a_zip_come_in_as_they_are(model, home, tmp_path):
    told = import_model(ImportModelJob(path=str(model)))
    assert told["model"] == "small" and contents(home / "small") == contents(model)
    import_model(ImportModelJob(path=str(packed(tmp_path / "a.zip", model)), name="second"))
    assert load_model("second").card == dataclasses.replace(read_card(model), name="second")
    assert (home / "second" / "weights.safetensors").read_bytes() == (model / "weights.safetensors").read_bytes()
    assert sorted(p.name for p in home.iterdir()) == ["second", "small"]


@pytest.mark.parametrize("prefix", ["", "small/", "./small/"])
def test_files_may_lie_at_the_top_of_a_zip_or_in_one_folder(model, home, tmp_path, prefix):
    path = packed(tmp_path / "a.zip", model, prefix)
    if prefix.startswith("."):
        refused(path, home, "leads elsewhere")
    else:
        assert import_model(ImportModelJob(path=str(path)))["model"] == "small"


def test_an_export_comes_back_byte_for_byte(model, home, tmp_path):
    import_model(ImportModelJob(path=str(model)))
    told = export_model(ExportModelJob(model="small", to=str(tmp_path / "out.zip")))
    assert told["bytes"] == (tmp_path / "out.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == [f"small/{name}" for name in FILES]
    delete_model(DeleteModelJob(model="small", yes=True))
    import_model(ImportModelJob(path=str(tmp_path / "out.zip")))
    assert contents(home / "small") == contents(model)


def test_an_export_replaces_nothing_unasked_and_never_half(model, home, tmp_path, monkeypatch):
    import_model(ImportModelJob(path=str(model)))
    target = tmp_path / "out.zip"
    target.write_text("mine")
    with pytest.raises(OutputFailed, match="exists"):
        export_model(ExportModelJob(model="small", to=str(target)))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputFailed, match="No space left"):
        export_model(ExportModelJob(model="small", to=str(target), overwrite=True))
    assert target.read_text() == "mine" and sorted(p.name for p in tmp_path.glob(".*")) == []


def test_harmless_files_are_left_out_by_name_and_others_refused(model, home, tmp_path):
    entries = [("small/" + name, content) for name, content in contents(model).items()]
    extra = [("small/README.md", b"hello"), ("__MACOSX/small/._card.json", b"x"), ("small/.DS_Store", b"x")]
    told = import_model(ImportModelJob(path=str(pack(tmp_path / "a.zip", [*entries, *extra]))))
    assert told["ignored"] == ["small/README.md", "small/.DS_Store"]
    assert sorted(p.name for p in (home / "small").iterdir()) == list(FILES)
    for name, words in (("small/setup.py", "run code"), ("small/model.pt", "run code"), ("small/notes.doc", "no part")):
        refused(pack(tmp_path / "b.zip", [*entries, (name, b"x")]), home, words, name="other")
    (model / "weights.pkl").write_bytes(b"\x80\x04.")
    refused(model, home, "run code", name="other")


def test_a_pickle_alone_and_weights_alone_are_told_apart(model, home, tmp_path):
    refused(pack(tmp_path / "a.zip", [("archive/data.pkl", b"\x80\x04.")]), home, "run code")
    (model / "card.json").unlink()
    refused(model, home, "without a card")


HOSTILE_NAMES = [
    "../card.json", "/card.json", "small/../../card.json", "C:/card.json", "small\\..\\card.json", "..", "small//x",
    "a/b/card.json", "small/card.json/", "./card.json", "small/\x01card.json", "\x00", "card.json\x00.txt", "//host/x",
    "small/card.json ", "small/CARD.JSON", "~/card.json", "a" * 300, "ｃard.json/../x", "small/\u202ecard.json",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_name_that_leads_elsewhere_is_refused(model, home, tmp_path, name):
    entries = [("small/" + each, content) for each, content in contents(model).items()]
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    refused(pack(tmp_path / "a.zip", [*entries, (info, b"{}")]), home)
    refused(pack(tmp_path / "b.zip", [(info, b"{}"), *entries]), home)
    assert {p.name for p in tmp_path.iterdir()} <= {"a.zip", "b.zip", "given", "user models"}


def test_links_are_refused_in_zips_and_folders(model, home, tmp_path):
    entries = [("small/" + name, content) for name, content in contents(model).items() if name != "card.json"]
    link = zipfile.ZipInfo("small/card.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(pack(tmp_path / "a.zip", [*entries, (link, b"/etc/passwd")]), home, "link")
    (model / "card.json").rename(tmp_path / "card.json")
    (model / "card.json").symlink_to(tmp_path / "card.json")
    refused(model, home, "link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_and_two_models_at_once_are_refused(model, home, tmp_path):
    entries = [("small/" + name, content) for name, content in contents(model).items()]
    refused(pack(tmp_path / "a.zip", [*entries, entries[0]]), home, "twice")
    refused(pack(tmp_path / "b.zip", [*entries, ("other/card.json", b"{}")]), home, "several models")


def test_bombs_are_refused_before_they_are_unpacked(model, home, tmp_path, monkeypatch):
    monkeypatch.setattr(model_archive, "_copy", lambda *_: pytest.fail("unpacked"))
    others = [("small/" + name, content) for name, content in contents(model).items() if name != "weights.safetensors"]
    weights = ("small/weights.safetensors", bytes(300_000_000))
    refused(pack(tmp_path / "ratio.zip", [weights, *others], zipfile.ZIP_DEFLATED), home, "would grow")
    many = [(f"small/{number}", b"") for number in range(1000)]
    refused(pack(tmp_path / "many.zip", [*others, *many]), home, "more than the 64 files")


def test_a_zip_that_lies_about_sizes_is_stopped_while_it_is_unpacked(model, home, tmp_path, monkeypatch):
    entries = [("small/" + name, content) for name, content in contents(model).items()]
    path = pack(tmp_path / "a.zip", entries, zipfile.ZIP_DEFLATED)
    monkeypatch.setitem(model_archive.LIMITS, "weights.safetensors", 1000)
    monkeypatch.setattr(model_archive, "_check_size", lambda *_: None)
    refused(path, home, "at most 1000")


def test_changed_files_are_refused(model, home, tmp_path):
    for name in ("card.json", "weights.safetensors"):
        content = bytearray((model / name).read_bytes())
        content[len(content) // 2] ^= 1
        entries = [(n, bytes(content) if n == name else c) for n, c in contents(model).items()]
        refused(pack(tmp_path / "a.zip", entries), home, "SHA-256")
    (model / "SHA256SUMS").write_text((model / "SHA256SUMS").read_text() + f"{'0' * 64}  ../other\n")
    refused(model, home, "list of its two files")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("entry", ["training", "scores"])
def test_a_card_with_a_number_that_is_not_finite_is_refused(model, home, entry, number):
    values = json.loads((model / "card.json").read_text("utf-8"))
    values[entry] = {"loss": 123.5} if entry == "training" else [{"iou": 123.5}]
    (model / "card.json").write_text(json.dumps(values).replace("123.5", number), "utf-8")
    reseal(model)
    assert number in refused(model, home, "not finite")


def test_weights_of_another_network_are_refused(model, home):
    values = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps({**values, "decoder_channels": [32, 24, 16, 8, 8]}))
    reseal(model)
    refused(model, home, "do not belong together")


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_a_network_that_fits_its_card_but_gives_no_answer_is_refused(model, home, tmp_path):
    # Its attention divides channels by 16 and is left with none.
    card = dataclasses.replace(read_card(model), architecture="attention_unet", window_multiple=96)
    save_model(build_network(card).eval(), card, tmp_path / "attentive")
    refused(tmp_path / "attentive", home, "gives no answer for a window of 96 x 96")


def test_a_card_cannot_ask_for_more_memory_than_its_weights_have(model, home):
    values = json.loads((model / "card.json").read_text())
    changes = {"decoder_channels": [1024] * 5, "detail_channels": 256, "encoder": "tu-regnety_320"}
    (model / "card.json").write_text(json.dumps({**values, **changes}))
    reseal(model)
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(model, home)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB; the network would take 700 MB


def test_an_adapted_model_needs_its_parent_by_its_weights(model, home, tmp_path):
    adapted = adapt(model, "child", tmp_path / "child")
    sentence = refused(shutil.move(adapted, tmp_path / "elsewhere"), home, "import that model first")
    assert (
        "'small'" in sentence
        and hashlib.sha256((model / "weights.safetensors").read_bytes()).hexdigest()[:12] in sentence
    )
    import_model(ImportModelJob(path=str(model), name="renamed"))
    told = import_model(ImportModelJob(path=str(tmp_path / "elsewhere")))
    assert told["adapted"] and told["hazards"] == ["flood"]
    assert find_parent(read_card(home / "child"), home / "child") == home / "renamed"
    bias = load_model("child").network.hazard_head.bias - load_model("renamed").network.hazard_head.bias
    assert torch.allclose(bias, torch.ones(2), atol=1e-3)


def test_an_adaptation_that_changed_nothing_travels_too(model, home, tmp_path):
    card = dataclasses.replace(read_card(adapt(model, "same", tmp_path / "x")), default_for=())
    save_adapted({}, card, tmp_path / "same")
    import_model(ImportModelJob(path=str(model)))
    import_model(ImportModelJob(path=str(tmp_path / "same")))
    weights = load_model("small").network.state_dict()
    assert all(torch.equal(t, weights[name]) for name, t in load_model("same").network.state_dict().items())


def test_deleting_tells_what_depends_on_a_model_and_takes_it_along_on_request_only(model, home, tmp_path):
    import_model(ImportModelJob(path=str(model)))
    for name, parent in (("child", home / "small"), ("other", home / "small")):
        import_model(ImportModelJob(path=str(adapt(parent, name, tmp_path / name)), name=name))
    with pytest.raises(BadInput, match=r"'other' and 'child' were|'child' and 'other' were"):
        delete_model(DeleteModelJob(model="small", yes=True))
    with pytest.raises(BadInput, match="--yes"):
        delete_model(DeleteModelJob(model="small", with_adapted=True))
    assert len(list(home.iterdir())) == 3
    assert set(delete_model(DeleteModelJob(model="small", with_adapted=True, yes=True))["deleted"]) == {
        "small", "child", "other",
    }  # fmt: skip
    assert list(home.iterdir()) == []


def test_a_model_whose_parent_is_there_twice_stays_usable(model, home, tmp_path):
    import_model(ImportModelJob(path=str(model)))
    import_model(ImportModelJob(path=str(model), name="copy"))
    import_model(ImportModelJob(path=str(adapt(home / "small", "child", tmp_path / "child"))))
    delete_model(DeleteModelJob(model="small", yes=True))
    load_model("child")
    with pytest.raises(BadInput, match="'child' was"):
        delete_model(DeleteModelJob(model="copy", yes=True))


@pytest.mark.parametrize("name", ["unet", "nowhere", "../given/small", "", "."])
def test_only_own_models_are_deleted(model, home, name):
    with pytest.raises(BadInput):
        delete_model(DeleteModelJob(model=name, yes=True))
    assert model.is_dir() and load_model("unet").bundled


def test_a_linked_model_is_let_go_but_not_emptied(model, home):
    home.mkdir()
    (home / "linked").symlink_to(model, target_is_directory=True)
    delete_model(DeleteModelJob(model="linked", yes=True))
    assert list(home.iterdir()) == [] and sorted(p.name for p in model.iterdir()) == list(FILES)


def test_names_are_free_or_refused(model, home):
    for name in ("unet", "UNET", "con", "COM1", "a b", "../x", "-x", ""):
        if name:
            refused(model, home, name=name)
    import_model(ImportModelJob(path=str(model)))
    refused(model, home, "already", name="Small", overwrite=True)
    refused(model, home, "already")
    values = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps({**values, "title": "New"}))
    reseal(model)
    import_model(ImportModelJob(path=str(model), overwrite=True))
    assert read_card(home / "small").title == "New" and len(list(home.iterdir())) == 1


def test_a_model_of_a_taken_name_gets_a_number_and_a_twin_is_refused(model, home, tmp_path):
    export_model(ExportModelJob(model="unet", to=str(tmp_path / "unet.zip")))
    refused(tmp_path / "unet.zip", home, "installed already, as 'unet'")
    values = json.loads((model / "card.json").read_text())
    for number in range(3):
        (model / "card.json").write_text(json.dumps({**values, "name": "unet", "title": f"Unlike {number}"}))
        reseal(model)
        told = import_model(ImportModelJob(path=str(model)))
        assert told["model"] == f"unet-{number + 2}" and "'unet' was taken" in told["warnings"][0]
        refused(model, home, f"installed already, as 'unet-{number + 2}'")
    assert read_card(home / "unet-3").name == "unet-3"


def test_a_parent_is_not_replaced_under_its_children(model, home, tmp_path):
    import_model(ImportModelJob(path=str(model)))
    import_model(ImportModelJob(path=str(adapt(home / "small", "child", tmp_path / "child"))))
    refused(model, home, "'child' was adapted", overwrite=True)
    delete_model(DeleteModelJob(model="child", yes=True))
    refused(tmp_path / "child", home, "would replace", name="small", overwrite=True)


def test_a_cancelled_import_leaves_nothing(model, home):
    report = Report()
    report.cancelled.set()
    with pytest.raises(Cancelled):
        import_model(ImportModelJob(path=str(model)), report)
    assert not home.is_dir() or list(home.iterdir()) == []


def test_a_failed_exchange_puts_the_old_model_back(model, home, monkeypatch):
    import_model(ImportModelJob(path=str(model)))
    rename = os.rename

    def fail(source, target):
        if str(source).endswith(".partial"):
            raise PermissionError(13, "in use")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    refused(model, home, "in use", overwrite=True)
    assert contents(home / "small") == contents(model)


REPLACES_AND_IS_KILLED = """
import os, signal, sys
from engine.model_store import import_model
from engine.protocol import ImportModelJob
def rename(source, target, rename=os.rename):
    if str(source).endswith(".partial"): os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
os.rename = rename
import_model(ImportModelJob(path=sys.argv[1], overwrite=True))
"""


def test_a_model_that_was_being_replaced_comes_back_however_old_it_is(model, home):
    import_model(ImportModelJob(path=str(model)))
    os.utime(home / "small", (1.0, 1.0))
    words = [sys.executable, "-c", REPLACES_AND_IS_KILLED, str(model)]
    assert subprocess.run(words, cwd=ROOT, env={**os.environ, "HAZARD_MODELS": str(home)}).returncode == -signal.SIGKILL
    assert not (home / "small").exists()
    import_model(ImportModelJob(path=str(model), name="other"))
    assert contents(home / "small") == contents(model)
    delete_model(DeleteModelJob(model="small", yes=True))
    import_model(ImportModelJob(path=str(model), name="third"))
    visible = sorted(path.name for path in home.iterdir() if not path.name.startswith("."))
    assert visible == ["other", "third"]


def test_what_was_replaced_does_not_come_back_when_the_model_is_deleted(model, home):
    import_model(ImportModelJob(path=str(model)))
    shutil.copytree(home / "small", home / ".small.0123456789ab.replaced")
    delete_model(DeleteModelJob(model="small", yes=True))
    assert list(home.iterdir()) == []


def test_what_a_killed_process_left_is_swept_away_later(model, home):
    home.mkdir()
    for name, age in ((".small.0123456789ab.partial", 7 * 3600), (".small.ba9876543210.partial", 60)):
        (home / name).mkdir()
        (home / name / "card.json").write_text("{}")
        seconds = (home / name).stat().st_mtime - age
        os.utime(home / name, (seconds, seconds))
    import_model(ImportModelJob(path=str(model)))
    assert sorted(p.name for p in home.iterdir()) == [".small.ba9876543210.partial", "small"]
    assert [row["name"] for row in list_models() if not row["bundled"]] == ["small"]


def test_no_import_makes_itself_the_default(model, home):
    before = default_model("flood")
    import_model(ImportModelJob(path=str(model)))
    assert default_model("flood") == before
    assert [row["name"] for row in list_models() if "flood" in row["default_for"]] == [before]


def test_the_users_default_answers_until_it_is_gone(model, home, capsys):
    usual = default_model("landslide")
    import_model(ImportModelJob(path=str(model)))
    assert set_default(DefaultModelJob(hazard="landslide", model="small"))["model"] == "small"
    assert default_model("landslide") == "small" and default_model("flood") != "small"
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "landslide" in rows["small"]["default_for"] and rows["small"]["chosen_for"] == ["landslide"]
    assert "landslide" not in rows[usual]["default_for"]
    shutil.rmtree(home / "small")
    assert default_model("landslide") == usual
    assert "'small'" in default_trouble("landslide") and default_trouble("flood") is None
    assert set_default(DefaultModelJob(hazard="landslide"))["model"] == usual
    assert default_trouble("landslide") is None


def test_a_run_says_that_the_default_is_gone(model, home, tmp_path):
    import_model(ImportModelJob(path=str(model)))
    set_default(DefaultModelJob(hazard="landslide", model="small"))
    scene = write_raster(tmp_path / "s.tif", np.full((3, 40, 40), 3000, "u2"))
    job = {"raster": scene, "bands": ("blue", "green", "red"), "units": "reflectance*10000", "hazard": "landslide"}
    told = segment(SegmentJob(mask=str(tmp_path / "a.tif"), **job))
    assert told["model"] == "small" and not any("is gone" in text for text in told["warnings"])
    shutil.rmtree(home / "small")
    told = segment(SegmentJob(mask=str(tmp_path / "b.tif"), **job))
    assert told["model"] != "small" and any("'small'" in text and "is gone" in text for text in told["warnings"])


KILLED = """
import os, signal
from engine import model_store
from engine.protocol import ImportModelJob
model_store.install = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
model_store.import_model(ImportModelJob(path={path!r}))
"""


def test_an_import_that_is_killed_shows_nothing_and_does_not_hinder_the_next(model, home):
    code = KILLED.format(path=str(model))
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "HAZARD_MODELS": str(home)})
    assert ended.returncode == -9
    assert [p.name.startswith(".") for p in home.iterdir()] == [True]
    assert [row["name"] for row in list_models() if not row["bundled"]] == []
    assert import_model(ImportModelJob(path=str(model)))["model"] == "small"


def test_an_import_onto_a_full_disk_leaves_nothing(model, small_disk, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(small_disk / "models"))
    with pytest.raises(BadInput, match="space"):
        import_model(ImportModelJob(path=str(ROOT / "resources" / "models" / "unet"), name="mine"))
    assert list((small_disk / "models").iterdir()) == []


def test_deleting_the_default_forgets_it(model, home):
    import_model(ImportModelJob(path=str(model)))
    set_default(DefaultModelJob(hazard="flood", model="small"))
    assert delete_model(DeleteModelJob(model="small", yes=True))["warnings"]
    assert default_trouble("flood") is None


@pytest.mark.parametrize("hazard, name", [("flood", "nowhere"), ("volcano", "unet"), ("volcano", None)])
def test_a_default_that_cannot_be_is_refused(home, hazard, name):
    with pytest.raises(BadInput):
        set_default(DefaultModelJob(hazard=hazard, model=name))
    assert not home.is_dir()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"flood": 3, "a b": "unet"}', '{"flood": "../x"}', "\0", "[" * 9999])
def test_defaults_that_cannot_be_read_are_the_cards_own(home, text):
    usual = default_model("flood")
    home.mkdir()
    (home / "defaults.json").write_text(text)
    assert default_model("flood") == usual


def test_the_command_line_imports_exports_and_deletes(model, home, tmp_path, capsys):
    assert main(["import-model", "--path", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "small"
    assert main(["export-model", "--model", "small", "--to", str(tmp_path / "a.zip")]) == 0
    assert main(["delete-model", "--model", "small"]) == 2
    assert main(["delete-model", "--model", "small", "--yes"]) == 0
    assert main(["import-model", "--path", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].count("nowhere") == 1
    assert user_folder() == home and list(home.iterdir()) == []


def test_a_header_is_read_as_the_library_reads_it(model):
    tensors = safetensors.torch.load_file(model / "weights.safetensors")
    assert {name: shape for name, (_, shape) in read_header(model / "weights.safetensors").items()} == {
        name: tuple(tensor.shape) for name, tensor in tensors.items()
    }


# Damaged on purpose, seeded.


def damaged(content, random_):
    """Content with a few bytes changed, cut, repeated or put in."""
    data = bytearray(content)
    for _ in range(random_.randint(1, 4)):
        kind, at = random_.randrange(5), random_.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << random_.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = random_.randbytes(random_.randint(1, 40))
        elif kind == 3:
            del data[at : at + random_.randint(1, 200)]
        else:
            data[at : at + 4] = struct.pack("<I", random_.choice([0, 1, 2**31, 2**32 - 1]))
        if not data:
            return b""
    return bytes(data)


ODD = [None, True, -1, 0, 1e308, 2**70, "", "x" * 500, "../..", [], {}, [[]], ["flood"] * 3, {"flood": None}, "\u0000"]


def odd_card(values, random_):
    """A card of which one to three entries are of another kind, gone, or new."""
    values = dict(values)
    for _ in range(random_.randint(1, 3)):
        name = random_.choice(list(values))
        change = random_.randrange(6)
        if change == 0:
            values.pop(name)
        elif change == 1:
            values[name + "2"] = 1
        else:
            values[name] = random_.choice(ODD)
    return values


def odd_weights(content, random_):
    """Weights whose header says something else than their tensors are."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = random_.choice([n for n in header if n != "__metadata__"])
    entry = header[name]
    change = random_.randrange(8)
    if change == 0:
        entry["data_offsets"] = [0, 2**62]
    elif change == 1:
        entry["shape"] = [2**31, 2**31]
    elif change == 2:
        entry["dtype"] = random_.choice(["F8", "PICKLE", 3, None])
    elif change == 3:
        entry["data_offsets"] = [entry["data_offsets"][0] + 2, entry["data_offsets"][1] + 2]
    elif change == 4:
        header["other"] = header.pop(name)
    elif change == 5:
        header[name] = random_.choice([None, [], {}, "x", 3])
    elif change == 6:
        entry["shape"] = random_.choice([None, [-1], ["a"], [1] * 200, [0.5]])
    else:
        text = json.dumps(header).encode()
        return (random_.choice([0, 3, 2**40, 2**63]) + length).to_bytes(8, "little") + text + content[8 + length :]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


@pytest.fixture(scope="module")
def slim(original, tmp_path_factory):
    """Bytes of the sound model as a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents(original).items():
            archive.writestr(f"small/{name}", content)
    return stream.getvalue()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_zips_are_refused_or_whole_and_leave_nothing(slim, original, home, tmp_path, seed):
    random_, path = random.Random(seed), tmp_path / "a.zip"
    for _ in range(40):
        content = damaged(slim, random_)
        if random_.random() < 0.5:  # where zips are fragile: their list at the end
            at = len(slim) - random_.randint(100, 400)
            content = slim[:at] + damaged(slim[at:], random_)
        path.write_bytes(content)
        try:
            import_model(ImportModelJob(path=str(path), overwrite=True))
        except BadInput as error:
            assert "\n" not in str(error) and ".partial" not in str(error)
        found = list(home.iterdir()) if home.is_dir() else []
        assert [p.name for p in found] in ([], ["small"])
        if found:
            assert contents(home / "small") == contents(original)
            shutil.rmtree(home / "small")


@pytest.mark.parametrize("seed", range(4))
def test_odd_cards_are_refused_or_sound_and_leave_nothing(model, home, seed):
    random_ = random.Random(100 + seed)
    values = json.loads((model / "card.json").read_text())
    for _ in range(30):
        (model / "card.json").write_text(json.dumps(odd_card(values, random_)))
        reseal(model)
        try:
            import_model(ImportModelJob(path=str(model), name="odd"))
        except BadInput as error:
            assert "\n" not in str(error) and ".partial" not in str(error) and len(str(error)) < 600
            assert not home.is_dir() or list(home.iterdir()) == []
        else:
            assert [row["name"] for row in list_models() if not row["bundled"]] == ["odd"]
            shutil.rmtree(home / "odd")


@pytest.mark.parametrize("seed", range(4))
def test_odd_weights_are_refused_and_leave_nothing(model, home, seed):
    random_ = random.Random(200 + seed)
    content = (model / "weights.safetensors").read_bytes()
    for _ in range(20):
        (model / "weights.safetensors").write_bytes(odd_weights(content, random_))
        reseal(model)
        refused(model, home)
    for _ in range(10):
        text = damaged(content[:3000], random_)
        if text == content[:3000]:
            continue
        (model / "weights.safetensors").write_bytes(text)
        reseal(model)
        refused(model, home)
