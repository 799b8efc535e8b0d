"""What to write to read a raster out of an archive."""

from __future__ import annotations

import os

from osgeo import gdal


def archive_advice(path: str, name: str) -> str | None:
    """What to write to read a raster out of an archive; None if the path is none."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".gz":
        return f"'{name}' is compressed as a whole; give it as /vsigzip/{path} or unpack it."
    if suffix not in (".zip", ".tar", ".tgz"):
        return None
    archive = f"/vsi{'zip' if suffix == '.zip' else 'tar'}/{path}"
    try:
        members = gdal.ReadDirRecursive(archive) or []
    except RuntimeError:
        members = []
    rasters = [m for m in members if m.lower().endswith((".tif", ".tiff", ".jp2", ".vrt", ".img", ".png", ".nc"))]
    if not rasters:
        return f"'{name}' is an archive in which no raster was found; unpack it and choose a raster."
    return f"'{name}' is an archive; give a raster in it, for example {archive}/{rasters[0]}, or unpack it."
