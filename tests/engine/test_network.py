"""The engine and the network: files lead it nowhere; what a job itself names may lie there."""

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from scenes import write_raster

from engine.fields import is_remote

ROOT = Path(__file__).resolve().parents[2]


class Answer(socketserver.BaseRequestHandler):
    """Counts who comes; knows one file, in parts, and nothing else."""

    def handle(self):
        request = self.request.recv(4000).decode("latin-1")
        path = [*request.split(" "), ""][1] if request.startswith(("GET", "HEAD", "POST")) else "(no web request)"
        self.server.asked.append(path)
        content = self.server.files.get(path)
        if content is None:
            self.request.sendall(b"HTTP/1.1 404 Not found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        found = re.search(r"bytes=(\d+)-(\d+)", request)
        first, last = (int(found[1]), min(int(found[2]), len(content) - 1)) if found else (0, len(content) - 1)
        part = content[first : last + 1]
        head = f"HTTP/1.1 {206 if found else 200} OK\r\nContent-Length: {len(part)}\r\nAccept-Ranges: bytes\r\n"
        head += f"Content-Range: bytes {first}-{last}/{len(content)}\r\nConnection: close\r\n\r\n"
        self.request.sendall(head.encode() + (b"" if request.startswith("HEAD") else part))


@pytest.fixture
def server():
    found = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer)
    found.asked, found.files, found.daemon_threads = [], {}, True
    threading.Thread(target=found.serve_forever, daemon=True).start()
    found.address = f"http://127.0.0.1:{found.server_address[1]}"
    yield found
    found.shutdown()
    found.server_close()


def vrt(source, more=""):
    return (
        f'<VRTDataset rasterXSize="60" rasterYSize="50">{more}<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def ogr_vrt(source):
    return (
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )


MRF = '<MRF_META>{}<Raster><Size x="64" y="64" c="1"/><PageSize x="64" y="64" c="1"/>{}</Raster></MRF_META>'
RASTERS = {
    "curl.vrt": vrt("/vsicurl/{u}/a.tif"),
    "letters.vrt": vrt("/vsi&#99;url/http&#58;//{h}/a.tif"),
    "stream.vrt": vrt("/vsicurl_streaming/{u}/b.tif"),
    "web.vrt": vrt("{u}/c.tif"),
    "netcdf.vrt": vrt("NETCDF:&quot;{u}/d.nc&quot;:x"),
    "wms.vrt": vrt("WMS:{u}/f?"),
    "zip.vrt": vrt("/vsizip//vsicurl/{u}/h.zip/x.tif"),
    "gzip.vrt": vrt("/vsigzip//vsicurl/{u}/i.gz"),
    "part.vrt": vrt("/vsisubfile/0_100,/vsicurl/{u}/k"),
    "options.vrt": vrt("/vsicurl?url={u}/l.tif"),
    "hadoop.vrt": vrt("/vsiwebhdfs/{u}/x.tif"),
    "cached.mrf": MRF.format("<CachedSource><Source>/vsicurl/{u}/m.tif</Source></CachedSource>", ""),
    "service.xml": "<WCS_GDAL><ServiceURL>{u}/wcs?</ServiceURL><CoverageName>x</CoverageName></WCS_GDAL>",
    "tiles.xml": "<GDAL_WMTS><GetCapabilitiesUrl>{u}/wmts.xml</GetCapabilitiesUrl></GDAL_WMTS>",
}
VECTORS = {
    "web.vrt": ogr_vrt("{u}/o.geojson"),
    "curl.vrt": ogr_vrt("/vsicurl/{u}/o.gpkg"),
    "json.vrt": ogr_vrt("GeoJSON:{u}/o"),
    "tiles.vrt": ogr_vrt("MVT:{u}/0/0/0"),
    "features.xml": "<OGRWFSDataSource><URL>{u}/wfs</URL></OGRWFSDataSource>",
    "database.vrt": ogr_vrt("PG:host=127.0.0.1 port={p} dbname=x sslmode=disable connect_timeout=3"),
}

COMMANDS = """
import contextlib, io, json, sys
from engine.__main__ import main
told = {}
for name, words in json.load(sys.stdin):
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main(words)
    told.setdefault(name, []).append([code, stderr.getvalue(), stdout.getvalue()])
print(json.dumps(told))
"""


def run_all(commands, **environment):
    """Commands one after another in a program of their own; what each said, by name."""
    ended = subprocess.run(
        [sys.executable, "-c", COMMANDS], input=json.dumps(commands), cwd=ROOT, capture_output=True, text=True,
        timeout=120, env={**os.environ, "no_proxy": "127.0.0.1", "NO_PROXY": "*", **environment},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture
def commands(tmp_path, server):
    """A command for every file, which leads to the server one way or another."""
    write_raster(tmp_path / "mask.tif", np.ones((50, 60), "u1"))
    places = {"u": server.address, "h": server.address[7:]}
    found = []
    for kind, files in (("raster", RASTERS), ("vector", VECTORS)):
        (tmp_path / kind).mkdir()
        for name, content in files.items():
            path = tmp_path / kind / name
            for key, value in places.items():
                content = content.replace("{" + key + "}", f"{value}/{kind}-{name}")
            path.write_text(content.replace("{p}", str(server.server_address[1])))
            words = ["inspect", "--raster", str(path), "--bands", "green"]
            if kind == "vector":
                words = ["evaluate", "--mask", str(tmp_path / "mask.tif"), "--reference", str(path)]
            found.append((f"{kind}/{name}", words))
    return found


def test_no_file_leads_the_engine_to_the_network(commands, server):
    told = run_all(commands)
    assert server.asked == []
    for name, ends in told.items():
        for code, said, _ in ends:
            assert code == 2 and len(said.splitlines()) == 1, (name, said)
    assert "HAZARD_NETWORK" in told["raster/curl.vrt"][0][1]


def test_each_of_these_files_would_lead_there_if_the_network_were_open(commands, server):
    """... so the test above could fail."""
    drivers = {"service.xml": "WCS", "tiles.xml": "WMTS", "tiles.vrt": "MVT", "features.xml": "WFS", "wms.vrt": "WMS",
               "database.vrt": "PostgreSQL"}  # fmt: skip
    not_in_every_build = ("netcdf.vrt", "cached.mrf", "hadoop.vrt")
    run_all(commands, HAZARD_NETWORK="1")
    for name, _ in commands:
        file = name.split("/")[1]
        if file in not_in_every_build or (file in drivers and gdal.GetDriverByName(drivers[file]) is None):
            continue
        mark = "(no web request)" if file == "database.vrt" else f"/{name.replace('/', '-')}"
        assert any(path.startswith(mark) for path in server.asked), name


def test_a_raster_that_the_job_names_may_lie_on_the_network_and_only_while_it_runs(tmp_path, commands, server):
    server.files["/scene.tif"] = Path(write_raster(tmp_path / "s.tif", np.full((50, 60), 9, "u1"))).read_bytes()
    named = ("named", ["inspect", "--raster", f"/vsicurl/{server.address}/scene.tif", "--bands", "green", "--json"])
    led = next(command for command in commands if command[0] == "raster/curl.vrt")
    told = run_all([led, named, led, named])
    assert [json.loads(out)["width"] for code, _, out in told["named"]] == [60, 60]
    assert [code for code, _, _ in told["raster/curl.vrt"]] == [2, 2]
    assert server.asked and not any("curl.vrt" in path for path in server.asked)


def test_a_result_whose_tags_name_the_network_leads_nowhere(tmp_path, server):
    job = {"raster": f"/vsicurl/{server.address}/scene.tif", "hazard": "flood", "mask": "m.tif", "model": "unet"}
    tags = {"HAZARD": "flood", "HAZARD_MODEL": "unet", "HAZARD_JOB": json.dumps(job), "HAZARD_SCENE_SHA256": "0" * 64}
    mask = write_raster(tmp_path / "mask.tif", np.ones((50, 60), "u1"), tags=tags)
    told = run_all(
        [
            ("asked", ["provenance", "--file", mask, "--verify", "--json"]),
            ("again", ["repeat", "--file", mask, "--out", str(tmp_path / "again.tif"), "--changed"]),
        ]
    )
    assert server.asked == []
    assert told["asked"][0][0] == 0 and json.loads(told["asked"][0][2])["scene_unchanged"] is None
    assert told["again"][0][0] == 2 and "network" in told["again"][0][1]
    assert not (tmp_path / "again.tif").exists()


def test_a_raster_never_runs_python_even_where_the_environment_allows_it(tmp_path):
    write_raster(tmp_path / "t.tif", np.full((50, 60), 9, "u1"))
    code = f"import os\\ndef f(*a):\\n open({str(tmp_path / 'RAN')!r}, 'w')".replace("\\n", "\n")
    body = vrt(tmp_path / "t.tif").replace('band="1">', 'band="1" subClass="VRTDerivedRasterBand">').replace(
        "<SimpleSource>",
        "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
        f"<PixelFunctionCode><![CDATA[{code}]]></PixelFunctionCode><SimpleSource>",
    )  # fmt: skip
    (tmp_path / "s.vrt").write_text(body)
    words = ["inspect", "--raster", str(tmp_path / "s.vrt"), "--bands", "green"]
    told = run_all([("s", words)], GDAL_VRT_ENABLE_PYTHON="YES")
    assert told["s"][0][0] == 2 and not (tmp_path / "RAN").exists()


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        ("/vsicurl/https://example.org/a.tif", True), ("https://example.org/a.tif", True),
        ("/vsis3/bucket/a.tif", True),
        ("/vsizip//vsicurl/https://example.org/a.zip/b.tif", True), ("\\\\host\\share\\a.tif", True),
        ("//host/share/a.tif", True), ("PG:dbname=a", True), ("WMS:https://example.org/?", True),
        ("/home/me/a.tif", False), ("C:\\scenes\\a.tif", False), ("C:/scenes/a.tif", False), ("a.tif", False),
        ("NETCDF:/home/me/a.nc:flood", False), ('HDF5:"a.h5"://group/band', False), ("/vsizip/a.zip/b.tif", False),
        ("GPKG:a.gpkg:scene", False), ("file:///home/me/a.tif", False), ("EPSG:32632", False), ("", False),
    ],
)  # fmt: skip
def test_what_lies_on_the_network_is_known_by_its_name(name, remote):
    assert is_remote(name) is remote
