"""Which help page explains which algorithm; the addresses are answered inside QGIS, without a network."""

SCHEME = "hazardmapper"
PAGES = {
    "segmenthazard": "first_map",
    "archive": "archive",
    "adapttoscene": "adapting",
    "pretrainmodel": "training",
    "trainhazard": "training",
    "hazardpolygons": "polygons",
    "applythreshold": "delivering#threshold",
    "correctmask": "delivering#corrections-by-hand",
    "runagain": "delivering#chain-of-custody",
    "refinemask": "refining",
    "comparemasks": "refining#compare-masks-of-two-dates",
    "monitoringseries": "refining#add-to-monitoring-series",
    "exposure": "exposure",
    "evaluatemask": "accuracy",
    "mapsheet": "map_sheet",
    "hazardreport": "report",
    "emergencypackage": "emergency_package",
}


def help_address(algorithm: str) -> str:
    """Address of the page of an algorithm."""
    return f"{SCHEME}:{PAGES.get(algorithm, 'index')}"
