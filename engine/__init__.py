"""The embedded deep-learning engine: it runs in a worker process and knows nothing of QGIS or Qt."""

__version__ = "0.1.0"
