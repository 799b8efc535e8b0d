"""The algorithm: what it asks the engine for, what it refuses, and what Processing gets to see."""

import pytest
from osgeo import gdal
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from support import hidden_files, jobs_sent_by, wait_until, write_scene

ALGORITHM = "hazardmapper:segmenthazard"


@pytest.fixture
def jobs(client, monkeypatch):
    """Every job that reaches the engine."""
    sent = []
    run = client.run

    def record(kind, job, *rest):
        sent.append(job)
        return run(kind, job, *rest)

    monkeypatch.setattr(client, "run", record)
    return sent


@pytest.fixture
def segment(provider, scene, tmp_path, project):
    def run(**parameters):
        values = {"INPUT": scene, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif"), **parameters}
        return processing.run(ALGORITHM, values)

    return run


def refusal(segment, **parameters):
    with pytest.raises(QgsProcessingException) as caught:
        segment(**parameters)
    lines = [line for line in str(caught.value).splitlines() if line.strip()]
    return lines[-1]


def test_outputs_tell_area_share_device_and_model(segment, tmp_path):
    results = segment()
    assert results["OUTPUT"] == str(tmp_path / "mask.tif")
    assert results["HAZARD_AREA_M2"] == 13_400_000.0 and results["SHARE_ASSESSED"] == 0.92
    assert results["DEVICE_USED"] == "cpu" and results["MODEL_USED"] == "unet"
    assert results["WARNINGS"] == "The scene is pretended."


def test_probability_is_written_only_when_asked(segment, tmp_path):
    assert "PROBABILITY" not in segment()
    wanted = str(tmp_path / "probability.tif")
    assert segment(PROBABILITY=wanted)["PROBABILITY"] == wanted


def test_parameters_become_the_job(segment, jobs, scene):
    segment(BANDS="blue,green,red,nir,-,-", UNITS="raw", THRESHOLD=0.3, DEVICE="cpu", MODEL="small", GSD_M=12.5)
    (job,) = jobs
    assert job.raster == scene and job.bands == ("blue", "green", "red", "nir", "-", "-")
    assert (job.units, job.threshold, job.device, job.model, job.gsd_m) == ("raw", 0.3, "cpu", "small", 12.5)
    assert job.extent is None and job.crs is None and job.sensor is None


def test_empty_optional_parameters_are_left_to_the_engine(segment, jobs):
    segment(MODEL="", BANDS="", UNITS="", SENSOR="", THRESHOLD=None, GSD_M=None)
    assert (jobs[0].model, jobs[0].bands, jobs[0].units, jobs[0].threshold) == (None, None, None, None)


def test_an_extent_in_another_crs_is_transformed_and_clipped(segment, jobs, scene):
    layer = QgsRasterLayer(scene, "scene")
    view = QgsReferencedRectangle(QgsRectangle(10, 40, 20, 50), QgsCoordinateReferenceSystem("EPSG:4326"))
    segment(EXTENT=view)
    extent = layer.extent()
    assert jobs[0].extent == (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())


def test_an_extent_elsewhere_is_refused(segment):
    far = QgsReferencedRectangle(QgsRectangle(0, 0, 10, 10), QgsCoordinateReferenceSystem("EPSG:32633"))
    assert "does not touch the scene" in refusal(segment, EXTENT=far)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"DIFFERENCE": "/tmp/change.tif"}, "set ADAPT"),
        ({"BANDS": "blue,purple"}, "'purple' is not known"),
        ({"BANDS": "blue,blue"}, "2 bands"),
        ({"UNITS": "feet"}, "Units 'feet'"),
        ({"SENSOR": "hubble"}, "Sensor 'hubble'"),
        ({"HAZARD": " "}, "No hazard is given"),
        ({"DEVICE": "abacus"}, "Device 'abacus'"),
        ({"OUTPUT": "/tmp/mask.img"}, "name ending in .tif"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(segment, jobs, parameters, words):
    assert words in refusal(segment, **parameters)
    assert jobs == []


def test_a_broken_layer_is_refused(segment, project, tmp_path):
    layer = QgsRasterLayer(str(tmp_path / "gone.tif"), "gone")
    project.addMapLayer(layer)
    assert "gone" in refusal(segment, INPUT=layer.id())


def test_an_output_shown_by_an_open_layer_is_refused(segment, project, tmp_path):
    mask = tmp_path / "mask.tif"
    segment()
    before = mask.read_bytes()
    project.addMapLayer(QgsRasterLayer(str(mask), "Old mask"))
    assert "'Old mask'" in refusal(segment)
    assert mask.read_bytes() == before


def test_an_output_that_is_the_input_is_refused(segment, scene):
    assert "itself" in refusal(segment, OUTPUT=scene)


def test_an_existing_output_that_nobody_shows_is_replaced(segment, tmp_path):
    (tmp_path / "mask.tif").write_bytes(b"old")
    assert gdal.Open(segment()["OUTPUT"]).RasterXSize == 96


def test_a_failed_engine_is_one_sentence(segment, tmp_path):
    assert "engine" in refusal(segment, HAZARD="crash").lower()
    assert hidden_files(tmp_path) == []


def test_no_engine_is_the_same_sentence_as_in_the_dock(segment, client, monkeypatch):
    from hazard_mapper.hazard_plugin.engine_location import EngineMissing

    def missing():
        raise EngineMissing("No engine was found; name one.")

    monkeypatch.setattr(client, "_locate", missing)
    assert refusal(segment) == "No engine was found; name one."


def polygon_layer(crs="EPSG:32633"):
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "fields", "memory")
    for offset in (0, 400):
        feature = QgsFeature()
        feature.setGeometry(
            QgsGeometry.fromRect(QgsRectangle(500_050 + offset, 4_899_500, 500_250 + offset, 4_899_900))
        )
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    return layer


def test_all_polygons_of_a_file_are_named_by_it_so_that_the_run_can_be_repeated(
    segment, client, monkeypatch, project, tmp_path
):
    sent = jobs_sent_by(client, monkeypatch)
    path, options = str(tmp_path / "fields ä.gpkg"), QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(polygon_layer(), path, QgsCoordinateTransformContext(), options)
    layer = QgsVectorLayer(path, "fields", "ogr")
    project.addMapLayer(layer)
    for area in (layer, layer.id(), path, QgsProcessingFeatureSourceDefinition(layer.id(), False)):
        segment(AREA=area)
    layer.selectByIds([1])
    segment(AREA=QgsProcessingFeatureSourceDefinition(layer.id(), True))
    layer.setSubsetString("fid = 1")
    segment(AREA=layer)
    areas = [job.area for kind, job in sent if kind == "segment"]
    assert areas[:4] == [path] * 4 and path not in areas[4:] and len(areas) == 6


def test_polygons_reach_the_engine_and_the_selection_is_honoured(segment, client, monkeypatch, project):
    counts = []
    run = client.run

    def look(kind, job, *rest):
        copy = QgsVectorLayer(job.area, "area", "ogr")
        counts.append((copy.featureCount(), copy.crs().authid(), copy.extent().width()))
        return run(kind, job, *rest)

    monkeypatch.setattr(client, "run", look)
    layer = polygon_layer()
    project.addMapLayer(layer)
    segment(AREA=layer)
    layer.selectByIds([1])
    segment(AREA=QgsProcessingFeatureSourceDefinition(layer.id(), True))
    assert counts == [(2, "EPSG:32633", 600.0), (1, "EPSG:32633", 200.0)]


def test_polygons_elsewhere_are_refused(segment, project):
    layer = polygon_layer("EPSG:32601")
    project.addMapLayer(layer)
    assert "does not touch" in refusal(segment, AREA=layer)


def test_an_empty_polygon_layer_is_refused(segment, project):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633", "fields", "memory")
    project.addMapLayer(layer)
    assert "'fields' has no polygon" in refusal(segment, AREA=layer)


def run_task(parameters, feedback, context):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    outcome = []
    task.executed.connect(lambda ok, results: outcome.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    return outcome, (algorithm, task)


def test_it_runs_on_a_background_thread(provider, scene, tmp_path, project):
    feedback, context = QgsProcessingFeedback(False), QgsProcessingContext()
    values = {"INPUT": scene, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif")}
    outcome, _kept = run_task(values, feedback, context)
    assert wait_until(lambda: outcome)
    assert outcome[0][0] and outcome[0][1]["OUTPUT"] == str(tmp_path / "mask.tif")


def test_a_cancelled_task_leaves_no_file(provider, scene, tmp_path, project):
    feedback, context = QgsProcessingFeedback(False), QgsProcessingContext()
    values = {"INPUT": scene, "HAZARD": "slow", "OUTPUT": str(tmp_path / "mask.tif")}
    outcome, _kept = run_task(values, feedback, context)
    assert wait_until(lambda: feedback.progress() > 0)
    feedback.cancel()
    assert wait_until(lambda: outcome, 5)
    assert not outcome[0][1].get("OUTPUT")
    assert not (tmp_path / "mask.tif").exists() and hidden_files(tmp_path) == []


def test_a_model_can_contain_it(provider, scene, tmp_path, project):
    model = QgsProcessingModelAlgorithm("flood model")
    model.addModelParameter(QgsProcessingParameterRasterLayer("scene"), QgsProcessingModelParameter("scene"))
    child = QgsProcessingModelChildAlgorithm(ALGORITHM)
    child.setChildId("segment")
    source = QgsProcessingModelChildParameterSource
    child.addParameterSources("INPUT", [source.fromModelParameter("scene")])
    child.addParameterSources("HAZARD", [source.fromStaticValue("flood")])
    output = QgsProcessingModelOutput("mask")
    output.setChildOutputName("OUTPUT")
    output.setChildId("segment")
    child.setModelOutputs({"mask": output})
    model.addChildAlgorithm(child)
    model.initAlgorithm()
    results = processing.run(model, {"scene": scene, "segment:mask": str(tmp_path / "model.tif")})
    assert results["segment:mask"] == str(tmp_path / "model.tif")
    assert (tmp_path / "model.tif").exists()


def test_a_batch_of_two_layers_gives_two_masks(provider, tmp_path, project):
    from processing.gui.AlgorithmExecutor import execute

    masks = []
    for name in ("a", "b"):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        mask = str(tmp_path / f"{name}_mask.tif")
        values = {"INPUT": write_scene(tmp_path / f"{name}.tif"), "HAZARD": "flood", "OUTPUT": mask}
        ok, results = execute(algorithm, values, QgsProcessingContext(), QgsProcessingFeedback(False))
        masks.append((ok, results["OUTPUT"]))
    assert masks == [(True, str(tmp_path / "a_mask.tif")), (True, str(tmp_path / "b_mask.tif"))]


def test_processing_loads_the_mask_named_and_styled(provider, scene, tmp_path, project):
    layer = QgsRasterLayer(scene, "Faenza")
    project.addMapLayer(layer)
    values = {"INPUT": layer, "HAZARD": "landslide", "OUTPUT": str(tmp_path / "mask.tif")}
    values["PROBABILITY"] = str(tmp_path / "probability.tif")
    processing.runAndLoadResults(ALGORITHM, values)
    names = {found.name(): found for found in project.mapLayers().values()}
    mask = names["Landslide - Faenza"]
    assert mask.renderer().type() == "paletted"
    assert [c.label for c in mask.renderer().classes()] == ["None", "Landslide"]
    assert names["Landslide probability - Faenza"].renderer().type() == "singlebandpseudocolor"


def test_an_edited_crs_of_the_layer_reaches_the_engine(segment, jobs, scene, project):
    layer = QgsRasterLayer(scene, "scene")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    project.addMapLayer(layer)
    segment(INPUT=layer)
    assert QgsCoordinateReferenceSystem.fromWkt(jobs[0].crs).authid() == "EPSG:32632"


def test_help_and_description_are_complete(provider):
    algorithm = QgsApplication.processingRegistry().algorithmById(ALGORITHM)
    assert algorithm.shortHelpString() and algorithm.shortDescription() and algorithm.groupId() == "mapping"
    for name in ("INPUT", "HAZARD", "MODEL", "BANDS", "UNITS", "EXTENT", "THRESHOLD", "ADAPT", "OUTPUT", "PROBABILITY"):
        assert algorithm.parameterDefinition(name) is not None


def test_relative_paths_mean_the_folder_qgis_runs_in(segment, jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = segment(INPUT="scene.tif", OUTPUT="relative.tif")
    assert jobs[0].raster == str(tmp_path / "scene.tif") and jobs[0].mask == str(tmp_path / "relative.tif")
    assert results["OUTPUT"] == "relative.tif" and (tmp_path / "relative.tif").exists()
