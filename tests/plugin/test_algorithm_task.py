"""A task ends with exactly one of done, cancelled and failed, whenever the user cancels."""

import pytest
from qgis.core import QgsProcessingAlgorithm, QgsProcessingException
from support import wait_until


class CancelledInTheEnd(QgsProcessingAlgorithm):
    """The user cancels while it runs; what comes of it was settled before."""

    def __init__(self, results):
        super().__init__()
        self.results = results

    def name(self):
        return "cancelledintheend"

    def displayName(self):
        return "Cancelled in the end"

    def createInstance(self):
        return CancelledInTheEnd(self.results)

    def initAlgorithm(self, configuration=None):
        pass

    def processAlgorithm(self, parameters, context, feedback):
        feedback.cancel()
        if self.results is None:
            raise QgsProcessingException("The disk is full.")
        return self.results


@pytest.mark.parametrize(
    ("results", "ending"),
    [({"OUTPUT": "mask.tif"}, ("done", {"OUTPUT": "mask.tif"})), ({}, ("cancelled",)), (None, ("cancelled",))],
)
def test_a_result_that_was_finished_when_cancel_was_pressed_counts(qgis_app, results, ending):
    from hazard_mapper.hazard_plugin.algorithm_task import AlgorithmTask
    from qgis.PyQt.QtCore import QObject

    parent = QObject()
    task = AlgorithmTask(parent)
    endings = []
    task.done.connect(lambda found: endings.append(("done", found)))
    task.cancelled.connect(lambda: endings.append(("cancelled",)))
    task.failed.connect(lambda sentence: endings.append(("failed", sentence)))
    task.start(CancelledInTheEnd(results), {}, "test")
    assert wait_until(lambda: endings)
    assert endings == [ending]
