"""Which scenes an archive holds: in a folder, in a text list, or in a STAC item collection on this machine."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from .protocol import ArchiveJob, BadInput
from .raster.archive import is_result
from .reporting import Report

LONGEST_LIST_BYTES = 200_000_000
LONGEST_NAME_BYTES = 150
RASTER_ENDINGS = (".tif", ".tiff", ".jp2", ".img", ".vrt")
NOT_DATA = {"thumbnail", "overview", "metadata"}
"""Roles of assets that are no scene."""
WEB = ("http", "https", "ftp", "s3", "gs", "az")
OVER_NETWORK = re.compile(r"/vsi(curl|s3|gs|az|adls|oss|swift|webhdfs)", re.IGNORECASE)


@dataclass(frozen=True)
class ArchiveScene:
    """One scene of an archive.

    Attributes:
        name: what its outputs are called, below the output folder; folders are parted by ``/``.
        title: what the scene is called.
        raster: its file, or where several files are stacked, empty.
        parts: name and file of each band that is stacked.
        date: its day where the list tells it.
        version: what a list tells of its content (checksum, time of update); changes when the scene does.
        problem: why it cannot be segmented, found out from the list.
    """

    name: str
    title: str
    raster: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    date: str | None = None
    version: str = ""
    problem: str | None = None

    @property
    def identity(self) -> str:
        """What tells it from other scenes."""
        return self.raster or "\n".join(file for _, file in self.parts) or self.title


@dataclass(frozen=True)
class Listing:
    """The scenes of an archive, and what the user should know of how they were found."""

    scenes: tuple[ArchiveScene, ...]
    notes: tuple[str, ...] = ()


def list_scenes(job: ArchiveJob, report: Report) -> Listing:
    """Find the scenes of an archive, each with a name of its own.

    Raises:
        BadInput: there is no such folder or list, it is of another kind, or it holds no scene.
    """
    where = job.scenes
    if os.path.isdir(where):
        found = _in_folder(job, report)
    else:
        content = _read_list(where)
        found = _in_stac(job, content) if content.lstrip()[:1] in ("{", "[") else _in_list(job, content)
    if not found.scenes:
        wanted = f" named {', '.join(job.pattern)}" if os.path.isdir(where) else ""
        also = f" ({' '.join(found.notes)})" if found.notes else ""
        raise BadInput(f"'{where}' holds no scene{wanted}{also}; choose another folder or list, or another pattern.")
    seen: dict[str, ArchiveScene] = {}
    for scene in found.scenes:
        seen.setdefault(_same(scene.identity), scene)
    notes = found.notes
    if len(seen) < len(found.scenes):
        notes = (*notes, f"{len(found.scenes) - len(seen)} scenes are listed more than once; each is segmented once.")
    return Listing(tuple(distinct_names(list(seen.values()))), notes)


def distinct_names(scenes: list[ArchiveScene]) -> list[ArchiveScene]:
    """Scenes with names that differ on every file system; those that share one get a part of their path's hash.

    All that share a name change it, so that names do not depend on the order of a list.
    """
    groups: dict[str, list[int]] = {}
    for index, scene in enumerate(scenes):
        groups.setdefault(scene.name.casefold(), []).append(index)
    named = list(scenes)
    for indices in groups.values():
        titles = Counter(scenes[index].title for index in indices)
        for index in indices if len(indices) > 1 else ():
            scene = scenes[index]
            digest = hashlib.sha256(os.fsencode(scene.identity)).hexdigest()[:8]
            title = f"{scene.title} ({digest})" if titles[scene.title] > 1 else scene.title
            named[index] = replace(scene, name=f"{scene.name}-{digest}", title=title)
    return named


def _in_folder(job: ArchiveJob, report: Report) -> Listing:
    """Files of a folder and those below it whose names fit, hidden ones, the output folder and results left out."""
    root, out = os.path.abspath(job.scenes), os.path.realpath(job.out)
    scenes: list[ArchiveScene] = []
    results, products = 0, []

    def refuse(error: OSError) -> None:
        raise BadInput(f"The folder '{error.filename}' cannot be read ({error.strerror}); check its permissions.")

    for folder, folders, files in os.walk(root, onerror=refuse):
        report.progress(0.0)
        products += [name for name in folders if name.upper().endswith(".SAFE")]
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not name.upper().endswith(".SAFE")
            and os.path.realpath(os.path.join(folder, name)) != out
        )
        for file in sorted(files):
            path = os.path.join(folder, file)
            if file.startswith(".") or not any(fnmatch.fnmatch(file.lower(), glob.lower()) for glob in job.pattern):
                continue
            report.progress(0.0)
            if is_result(path):
                results += 1
                continue
            *above, last = PurePath(os.path.relpath(path, root)).parts
            name = "/".join([*above, _shortened(os.path.splitext(last)[0])])
            scenes.append(ArchiveScene(name, "/".join([*above, last]), path))
    notes = []
    if results:
        notes.append(f"{results} rasters are results of Hazard Mapper and were left out.")
    if products:
        notes.append(
            f"{len(products)} products in folders of their own ({products[0]}) were left out: a list of their rasters, "
            "or stacks of their bands, can be segmented."
        )
    return Listing(tuple(scenes), tuple(notes))


def _read_list(path: str) -> str:
    try:
        if not os.path.isfile(path):
            raise BadInput(f"There is no folder and no file '{path}'; give a folder, a text list or a STAC collection.")
        if os.path.getsize(path) > LONGEST_LIST_BYTES:
            raise BadInput(f"'{path}' is too large for a list of scenes; give a folder, a text list or a collection.")
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise BadInput(f"The list '{path}' cannot be read ({error.strerror}); check its permissions.") from None
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise BadInput(
            f"'{path}' is not text; give a folder, a text file with one scene a line, or a STAC item collection."
        ) from None
    return text


def _in_list(job: ArchiveJob, content: str) -> Listing:
    """One scene a line; blank lines and what begins with # are passed over."""
    base = os.path.dirname(os.path.abspath(job.scenes))
    lines = (line.strip().strip('"') for line in content.splitlines())
    scenes = []
    for line in lines:
        if line and not line.startswith("#"):
            raster, problem = _local(line, base, job.remote)
            title = os.path.basename(raster.rstrip("/\\")) or raster
            name = _file_name(os.path.splitext(title)[0])
            scenes.append(ArchiveScene(name, title, raster, problem=problem))
    return Listing(tuple(scenes))


def _in_stac(job: ArchiveJob, content: str) -> Listing:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"'{job.scenes}' is not JSON ({error}); give a STAC item collection, or a text list.") from None
    kind = found.get("type") if isinstance(found, dict) else None
    items = found.get("features") if kind == "FeatureCollection" else [found] if kind == "Feature" else None
    if not isinstance(items, list):
        raise BadInput(
            f"'{job.scenes}' is a {kind or 'list'} in JSON; expected a STAC item collection (a FeatureCollection of "
            "items with assets), as a search of a STAC catalogue is saved."
        )
    base = os.path.dirname(os.path.abspath(job.scenes))
    return Listing(tuple(_item(item, number, base, job) for number, item in enumerate(items, 1)))


def _item(item: Any, number: int, base: str, job: ArchiveJob) -> ArchiveScene:
    """One STAC item; what is wrong with it becomes its problem, so that the others go on."""
    if not isinstance(item, dict) or not isinstance(item.get("assets"), dict) or not item.get("id"):
        return ArchiveScene(f"item_{number}", f"item {number}", problem=f"Item {number} has no id or no assets.")
    title, assets = str(item["id"]), item["assets"]
    properties = item["properties"] if isinstance(item.get("properties"), dict) else {}
    scene = ArchiveScene(_file_name(title), title, date=_day(properties))
    chosen, problem = _choose(assets, job.assets)
    if problem:
        return replace(scene, problem=f"Item '{title}' {problem}")
    parts, versions = [], [str(properties.get("updated") or "")]
    for key in chosen:
        href = assets[key].get("href") if isinstance(assets[key], dict) else None
        if not isinstance(href, str) or not href.strip():
            return replace(scene, problem=f"Asset '{key}' of item '{title}' has no href.")
        file, refused = _local(href.strip(), base, job.remote)
        if refused:
            return replace(scene, problem=refused)
        parts.append((_band_name(key, assets[key]), file))
        versions += [str(assets[key].get(name) or "") for name in ("file:checksum", "file:size")]
    version = "|".join(versions).strip("|")
    if len(parts) == 1:
        return replace(scene, raster=parts[0][1], version=version)
    return replace(scene, parts=tuple(parts), version=version)


def _choose(assets: dict[str, Any], wanted: tuple[str, ...]) -> tuple[list[str], str]:
    """Keys of the assets that make the scene, and what is wrong."""
    missing = [name for name in wanted if name not in assets]
    some = ", ".join(list(assets)[:12]) or "none"
    if missing:
        return [], f"has no asset '{missing[0]}'; it has {some}."
    if wanted:
        return list(wanted), ""
    rasters = [key for key, asset in assets.items() if isinstance(asset, dict) and _is_raster(asset)]
    data = [key for key in rasters if "data" in (assets[key].get("roles") or ())]
    found = rasters if len(rasters) == 1 else data
    if len(found) == 1:
        return found, ""
    return [], f"has {len(rasters)} rasters ({some}); say which make the scene with --assets."


def _is_raster(asset: dict[str, Any]) -> bool:
    roles = asset.get("roles") or ()
    kind, href = str(asset.get("type") or "").lower(), str(asset.get("href") or "").split("?")[0].lower()
    is_image = kind.startswith(("image/tiff", "image/vnd.stac.geotiff", "image/jp2"))
    return not NOT_DATA & {str(role) for role in roles} and (is_image or href.endswith(RASTER_ENDINGS))


def _band_name(key: str, asset: dict[str, Any]) -> str:
    """What an asset's only band measures, as the STAC extensions say it, else the asset's key."""
    bands = asset.get("eo:bands") or asset.get("bands")
    if isinstance(bands, list) and len(bands) == 1 and isinstance(bands[0], dict):
        common = bands[0].get("common_name") or bands[0].get("eo:common_name")
        return str(common or bands[0].get("name") or key)
    return key


def _day(properties: dict[str, Any]) -> str | None:
    """Day of an item as it says it, if it does."""
    moment = str(properties.get("datetime") or properties.get("start_datetime") or "")
    found = re.match(r"((?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:T|$)", moment)
    return found[1] if found else None


def _local(place: str, base: str, remote: bool) -> tuple[str, str | None]:
    """Path that GDAL opens, and why it is refused: scenes are read over the network only when that was asked for."""
    scheme = urlparse(place).scheme.lower()
    if scheme == "file":
        return url2pathname(urlparse(place).path), None
    is_web = scheme in WEB and "://" in place
    if (is_web or OVER_NETWORK.search(place)) and not remote:
        shown = place if len(place) < 120 else place[:117] + "..."
        return place, f"'{shown}' lies on the network; download it, or allow reading over the network (--remote)."
    if is_web:
        rest = place.split("://", 1)[1]
        return (f"/vsicurl/{place}" if scheme in WEB[:3] else f"/vsi{scheme}/{rest}"), None
    if place.startswith(("/vsi", "<")) or _names_dataset(place):
        return place, None
    return os.path.normpath(os.path.join(base, place)), None


def _names_dataset(place: str) -> bool:
    """Whether a line is one of GDAL's names such as NETCDF:"file":band rather than a file."""
    return re.match(r"[A-Z0-9_]{3,}:", place) is not None


def _file_name(title: str) -> str:
    """A title as part of a path: no separators, not hidden, not too long."""
    return _shortened(re.sub(r"[^\w.+-]+", "_", title).strip("._ ") or "scene")


def _shortened(name: str) -> str:
    if len(os.fsencode(name)) <= LONGEST_NAME_BYTES:
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    return os.fsencode(name)[: LONGEST_NAME_BYTES - 9].decode("utf-8", "ignore") + "-" + digest


def _same(identity: str) -> str:
    try:
        return os.path.normcase(os.path.realpath(identity)) if os.path.exists(identity) else identity
    except ValueError:
        return identity
