"""Hands the engine's worker of one test on to the next: each would start the same program, which takes seconds."""

import os
import queue

import pytest
from hazard_mapper.hazard_plugin import engine_client
from hazard_mapper.hazard_plugin.engine_client import EngineClient
from hazard_mapper.hazard_plugin.engine_worker import WorkerOwner
from qgis.PyQt.QtCore import QThread, pyqtSignal, pyqtSlot


def settings_told():
    """The environment that a worker would be started in now."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


class KeptOwner(WorkerOwner):
    """Outlives its clients. A worker started in another environment is ended, as one of another place is."""

    def __init__(self, *limits):
        super().__init__(*limits)
        self._told = {}
        self._words = {}
        self.greets = False

    @pyqtSlot(object, object)
    def post(self, request, location):
        if self._process is not None and not self._pending and self._told != settings_told():
            self._drop()
        if self.greets and self._ready and location == self._running:
            self.hello.emit(self._words)  # a new client hears what a new worker would say
        self.greets = False
        super().post(request, location)

    def _start(self):
        self._told = settings_told()
        super()._start()

    def _greet(self, event):
        self._words = event
        super()._greet(event)

    @pyqtSlot(object)
    def tell_rest(self, answer):
        """Answer whether no job is left; the jobs sent so far come before this question."""
        answer.put(not self._pending)


class LentClient(EngineClient):
    """A plugin's client; an idle worker stays when it is shut down, a busy one is ended as usual."""

    rest_asked = pyqtSignal(object)

    def shutdown(self):
        if self._closed:
            return
        if not self._rests():
            super().shutdown()
            return
        self._closed = True
        self._owner.hello.disconnect(self._keep_hello)
        for signal in (self._posted, self._cancel_asked, self._finish_asked, self._stop_asked, self._release_asked):
            signal.disconnect()
        self.rest_asked.disconnect()

    def _rests(self):
        answer = queue.SimpleQueue()
        with self._start_lock:
            if not self._thread.isRunning():
                return False
        self.rest_asked.connect(self._owner.tell_rest)
        self.rest_asked.emit(answer)
        return answer.get(timeout=20)


class KeptWorker:
    """The worker that the plugins of a session use one after another."""

    def __init__(self):
        self._last = None

    def client(self):
        """A client as a plugin makes it, with the worker of the one before where that has left it."""
        last, self._last = self._last, None
        left = last is not None and last._thread.isRunning()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine_client, "QThread", lambda: last._thread if left else QThread())
            patch.setattr(engine_client, "WorkerOwner", lambda *limits: last._owner if left else KeptOwner(*limits))
            self._last = LentClient()
        self._last._owner.greets = left
        return self._last

    def end(self):
        """End the worker."""
        EngineClient.shutdown(self.client())
