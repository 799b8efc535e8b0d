"""Physical priors: values whose meaning is known answer as the field says they do."""

import dataclasses

import numpy as np
import pytest
import torch
from scenes import read, write_raster

from engine.cards import ModelCard
from engine.model import build_network, save_model
from engine.planes import PLANES, SceneScaling, build_planes, planes_for
from engine.priors import choose_priors, physical_prior, require_priors
from engine.protocol import HAZARDS, BadInput, SegmentJob
from engine.segment import segment

SIX = ("blue", "green", "red", "nir", "swir1", "swir2")
CARD = ModelCard(
    name="pre",
    title="Pre-trained",
    architecture="unet",
    encoder="tu-mobilenetv3_small_050",
    hazards=(*HAZARDS, "any"),
    thresholds=dict.fromkeys((*HAZARDS, "any"), 0.5),
    planes=PLANES,
    decoder_channels=(16, 8, 8, 8, 8),
    pretrained_only=True,
)
GROUND = {
    "clear water": (0.05, 0.05, 0.03, 0.02, 0.01, 0.01),
    "turbid water": (0.08, 0.12, 0.13, 0.06, 0.02, 0.01),
    "forest": (0.02, 0.04, 0.03, 0.35, 0.16, 0.07),
    "fresh scar": (0.10, 0.14, 0.20, 0.27, 0.34, 0.30),
    "clean snow": (0.90, 0.88, 0.86, 0.75, 0.12, 0.09),
    "dirty ice and rock": (0.12, 0.14, 0.15, 0.16, 0.13, 0.11),
    "deep shade": (0.02, 0.02, 0.015, 0.02, 0.01, 0.008),
}
"""Reflectance of six bands over ground whose kind is known (USGS spectral library, rounded)."""


def scaling(slots, absolute=True):
    return SceneScaling(slots, (0.0,) * len(slots), (1.0,) * len(slots), (absolute,) * len(slots))


def prior_of(values, slots, hazard, absolute=True):
    """Prior of one pixel."""
    scene = scaling(slots, absolute)
    planes = build_planes(torch.tensor(values).view(1, -1, 1, 1), torch.ones((1, 1, 1, 1), dtype=torch.bool), scene)
    found = physical_prior(planes, planes_for(scene), hazard)
    return None if found is None else float(found)


def chosen_bands(ground, slots):
    return [GROUND[ground][SIX.index(slot)] for slot in slots]


@pytest.mark.parametrize(
    ("slots", "hazard", "yes", "no"),
    [
        (SIX, "flood", ["clear water", "turbid water"], ["forest", "fresh scar", "clean snow"]),
        (("blue", "green", "red", "nir"), "flood", ["clear water", "turbid water"], ["forest", "fresh scar"]),
        (SIX, "landslide", ["fresh scar"], ["forest", "clear water", "turbid water", "clean snow", "deep shade"]),
        (("blue", "green", "red"), "landslide", ["fresh scar"], ["forest", "clear water", "deep shade"]),
        (SIX, "glacier_collapse", ["dirty ice and rock"], ["forest", "clear water", "clean snow", "deep shade"]),
        (("blue", "green", "red"), "glacier_collapse", ["dirty ice and rock"], ["forest", "clean snow", "deep shade"]),
        (SIX, "any", ["clear water", "fresh scar", "dirty ice and rock"], ["forest", "clean snow"]),
    ],
)
def test_known_ground_is_told_apart(slots, hazard, yes, no):
    assert all(prior_of(chosen_bands(ground, slots), slots, hazard) > 0.6 for ground in yes)
    assert all(prior_of(chosen_bands(ground, slots), slots, hazard) < 0.2 for ground in no)


@pytest.mark.parametrize(("vv", "vh", "expected"), [(-17, -24, 0.5), (-22, -30, 1.0), (-9, -15, 0.0), (-22, -15, 0.5)])
def test_radar_answers_by_the_limits_of_minus_17_and_minus_24_decibels(vv, vh, expected):
    assert prior_of([vv, vh], ("vv", "vh"), "flood") == pytest.approx(expected, abs=0.01)
    assert prior_of([vv], ("vv",), "flood") == pytest.approx(1 / (1 + np.exp(vv + 17)), abs=1e-4)


@pytest.mark.parametrize("slots", [SIX, ("blue", "green", "red"), ("coastal", "blue", "swir2"), ("vv", "vh")])
def test_display_values_tell_no_water_and_no_ice(slots):
    assert prior_of([0.3] * len(slots), slots, "flood", absolute=False) is None
    assert prior_of([0.3] * len(slots), slots, "glacier_collapse", absolute=False) is None


def test_the_colour_of_soil_needs_no_units():
    slots = ("blue", "green", "red")
    assert prior_of([0.3, 0.4, 0.6], slots, "landslide", absolute=False) > 0.9
    assert prior_of([0.3, 0.6, 0.4], slots, "landslide", absolute=False) < 0.1
    assert choose_priors(planes_for(scaling(("coastal", "blue", "swir2"))), "landslide") == ()


@pytest.mark.parametrize("hazard", [*HAZARDS, "any", "volcano"])
def test_a_scene_without_footing_is_refused_in_one_sentence_that_names_the_bands(hazard):
    with pytest.raises(BadInput) as error:
        require_priors(scaling(("swir2",), absolute=False), hazard, "pre")
    assert "\n" not in str(error.value) and ("swir2" in str(error.value) or hazard == "volcano")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A scene whose left half is water and whose right half is forest."""
    values = np.empty((6, 64, 64), np.float32)
    for half, ground in ((np.s_[:, :32], "clear water"), (np.s_[:, 32:], "forest")):
        for band, reflectance in enumerate(GROUND[ground]):
            values[band][half] = reflectance
    names = ["B02", "B03", "B04", "B08", "B11", "B12"]
    return write_raster(tmp_path_factory.mktemp("scene") / "s.tif", values, names=names)


def model_folder(folder, artificial_logit):
    """A pre-trained model that calls all ground artificial, or none of it."""
    torch.manual_seed(0)
    network = build_network(CARD).eval()
    torch.nn.init.zeros_(network.surface_head.weight)
    torch.nn.init.constant_(network.surface_head.bias, artificial_logit)
    save_model(network, CARD, folder)
    return str(folder)


def test_a_pretrained_model_answers_with_the_prior_on_natural_ground_and_says_so(scene, tmp_path):
    job = SegmentJob(raster=scene, hazard="flood", mask=str(tmp_path / "m.tif"), model=model_folder(tmp_path / "p", -9))
    found = segment(job)
    mask = read(tmp_path / "m.tif")
    assert (mask[:, :32] == 1).all() and (mask[:, 32:] == 0).all()
    assert any("only pre-trained" in text and "MNDWI" in text for text in found["warnings"])


def test_artificial_ground_is_no_hazard_to_a_pretrained_model(scene, tmp_path):
    job = SegmentJob(raster=scene, hazard="flood", mask=str(tmp_path / "m.tif"), model=model_folder(tmp_path / "p", 9))
    segment(job)
    assert not read(tmp_path / "m.tif").any()


def test_a_pretrained_model_refuses_display_values_before_anything_is_written(scene, tmp_path):
    job = SegmentJob(raster=scene, hazard="flood", mask=str(tmp_path / "m.tif"), model=model_folder(tmp_path / "p", -9))
    with pytest.raises(BadInput, match="only pre-trained"):
        segment(dataclasses.replace(job, units="byte"))
    assert not (tmp_path / "m.tif").exists()
