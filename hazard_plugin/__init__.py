"""What QGIS loads: dock, Processing provider and the client of the engine's worker."""
