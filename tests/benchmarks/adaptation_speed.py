"""Student steps a second of adapting, beside a naive loop on the same scene, and seconds of the whole command.

    python tests/benchmarks/adaptation_speed.py [--json] [--model NAME] [--command]

The naive loop learns the same in float32. Each step reads its windows from the scene again, asks source and teacher
what they are, and takes each part of the objective that the step minimises through the network and back on its own (as
``lean``, from one pass forth). The engine keeps windows and targets, and takes all parts through and back at once, in
bf16 where the device has units for it; that it asks the teacher once a round, but for the first of at least three, is
counted. All take turns, and on a CPU processor time is counted, because machines are shared and noisy.
"""

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from engine.adapt import network_for, settings_of  # noqa: E402
from engine.adaptation.objectives import combined, target_scores  # noqa: E402
from engine.adaptation.search import PATIENCE_ROUNDS, ROUND_STEPS, Listener, Search  # noqa: E402
from engine.adaptation.student import GRADIENT_LIMIT, TEACHER_DECAY, Grounds, Student  # noqa: E402
from engine.adaptation.views import Views, scores_of  # noqa: E402
from engine.characteristics import find_characteristics  # noqa: E402
from engine.model import HazardNet, Model, default_model, load_model  # noqa: E402
from engine.planes import build_planes  # noqa: E402
from engine.preparing import Prepared, prepare_scene  # noqa: E402
from engine.priors import physical_prior  # noqa: E402
from engine.protocol import OPTICAL_SLOTS, AdaptJob  # noqa: E402
from engine.raster import Scene, Window, write_simulated_scene  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.simulate import simulate_scene  # noqa: E402
from engine.visible import Visible, look_at  # noqa: E402

SIDE_PX = 2048
SEED = 1
"""Of a scene on which something can be tried: physics and model agree on its water."""
TURNS = 3
"""Rounds of the engine: the first of them has its targets from the judgement."""
NAIVE_STEPS = 2
"""Of a turn: one of each kind."""
HAZARD = "flood"


def write_scene(path: Path, seed: int = SEED) -> None:
    """Six bands of 2048 x 2048 pixels: a simulated flood, mirrored to four times its size so that it has no seams."""
    values, _ = simulate_scene(seed, SIDE_PX // 2, HAZARD, OPTICAL_SLOTS[1:], 10.0)
    half = SIDE_PX // 2
    mirrored = {slot: np.pad(plane, ((0, half), (0, half)), mode="symmetric") for slot, plane in values.items()}
    write_simulated_scene(str(path), mirrored, 10.0, seed)


class NaiveLoop:
    """The steps of ``Student``, everything done again in each of them."""

    def __init__(self, student: Student, model: Model, scene: Scene, prepared: Prepared, visible: Visible) -> None:
        self.student, self.scene, self.prepared, self.visible = student, scene, prepared, visible
        student._half = None
        self.device = student.views.planes.device
        self.source = model.network.restricted_to(student.views.chosen).eval().requires_grad_(False).to(self.device)
        self.optimiser = torch.optim.Adam(list(student.trained.values()), lr=student.settings.learning_rate)
        self.start = {name: tensor.detach().clone() for name, tensor in student.trained.items()}
        self.generator = torch.Generator().manual_seed(student.settings.seed)

    def read(self, batch: list[int]) -> tuple[Tensor, Tensor]:
        """Planes and valid pixels of windows, from the file."""
        size = self.student.views.planes.shape[-2:]
        found = []
        for index in batch:
            left, top = self.visible.places[index]
            grid = self.prepared.grid
            window = Window(left, top, min(size[1], grid.width - left), min(size[0], grid.height - top))
            found.append(grid.read(self.scene, self.prepared.understanding, window, (size[0], size[1])))
        values, valid = (torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True))
        return build_planes(values, valid[:, None], self.prepared.scaling), valid

    def step(self, passes: bool) -> None:
        """One step; with ``passes`` each part of the objective has a forward pass of its own."""
        student, settings = self.student, self.student.settings
        batch = torch.randperm(len(student.views), generator=self.generator)[: settings.batch_size].tolist()
        planes, valid = (part.to(self.device) for part in self.read(batch))
        asked = (settings.channel, settings.factors, settings.multiple, settings.centre)
        with torch.no_grad():
            told = self.source(planes)
        artificial = told.surface[:, -1].sigmoid()
        reference = torch.sigmoid(told.hazard[:, settings.channel] - settings.centre)
        prior = physical_prior(planes, student.views.chosen, settings.hazard)
        student.views = Views(planes, valid, self.prepared.scaling, len(batch))
        student.grounds = Grounds(artificial, reference, prior)
        student._targets = target_scores(scores_of(student.teacher, planes, *asked), prior, artificial, reference)
        here = list(range(len(batch)))
        self.optimiser.zero_grad(set_to_none=True)
        names = ("forward", "auxiliary") if student.steps % 2 == 0 else ("natural", "spared")
        parts = student.parts(here)
        for index, name in enumerate(names):
            if passes and index:
                parts = student.parts(here)
            alone = {key: value if key == name else value * 0 for key, value in parts.items()}
            loss = combined(settings.mode, student.steps, alone, settings.weights)
            loss.backward(retain_graph=not passes)
        for name, tensor in student.trained.items():
            (settings.weights.anchor * ((tensor - self.start[name]) ** 2).sum()).backward()
        torch.nn.utils.clip_grad_norm_(list(student.trained.values()), GRADIENT_LIMIT)
        self.optimiser.step()
        with torch.no_grad():
            for mean, tensor in zip(student.teacher.parameters(), student.network.parameters(), strict=True):
                mean.lerp_(tensor, 1 - TEACHER_DECAY)
        student.steps += 1


def measure_steps(raster: str, name: str | None = None, device: str = "cpu", turns: int = TURNS) -> dict[str, float]:
    """Steps a second of the engine and of both naive loops on a scene, and the engine's over theirs."""
    model = load_model(name or default_model(HAZARD))
    place = torch.device(device)
    job = AdaptJob(raster=raster, hazard=HAZARD, save="nowhere", steps=ROUND_STEPS, device=device)
    with Scene(job) as scene:
        understanding = scene.understand()
        whole = Window(0, 0, scene.width, scene.height)
        prepared = prepare_scene(scene, understanding, whole, model.card, lambda text: None)
        visible = look_at(scene, prepared, whole, None, model.card.window_multiple, Report())
        assert visible.views is not None
        target, mask = find_characteristics(scene, understanding, job).characteristics.encode()
        known = (target[None].to(place), mask[None].to(place))
        settings = settings_of(job, model, place, time.monotonic())
        views = Views(
            visible.views.planes.to(place), visible.views.valid.to(place), visible.views.scaling, visible.views.judged
        )
        network = network_for(model, views, place)
        plain = model.network.restricted_to(views.chosen).eval().to(place)
        search = Search(network, views, settings, known, Listener())

        def student_of(learning: HazardNet) -> Student:
            return Student(copy.deepcopy(learning), views, settings, search.grounds, known)

        student = student_of(network)
        naive = {passes: NaiveLoop(student_of(plain), model, scene, prepared, visible) for passes in (False, True)}
        rates: dict[str, list[float]] = {"engine": [], "lean": [], "naive": []}
        for turn in range(turns + 1):
            made = [_rate(lambda turn=turn: _round(student, asks=turn % PATIENCE_ROUNDS != 1), ROUND_STEPS, place)]
            for passes in (False, True):
                loop = naive[passes]
                made.append(_rate(lambda loop=loop, passes=passes: _some(loop, passes), NAIVE_STEPS, place))
            if turn:  # the first turn warms up
                for key, value in zip(rates, made, strict=True):
                    rates[key].append(value)
    means = {key: statistics.harmonic_mean(values) for key, values in rates.items()}
    return {
        "steps_per_s": means["engine"],
        "naive_steps_per_s": means["naive"],
        "lean_steps_per_s": means["lean"],
        "ratio": means["engine"] / means["naive"],
        "ratio_lean": means["engine"] / means["lean"],
        "windows": float(len(views)),
    }


def _round(student: Student, asks: bool) -> None:
    if asks:
        student.learn_from(student.teachers_scores())
    for _ in range(ROUND_STEPS):
        student.step()


def _some(loop: NaiveLoop, passes: bool) -> None:
    for _ in range(NAIVE_STEPS):
        loop.step(passes)


def _rate(work: Any, steps: int, device: torch.device) -> float:
    """Steps a second: of processor time and core on a CPU, which other programs disturb least, else of the clock."""
    if device.type == "cpu":
        began = time.process_time()
        work()
        return steps * torch.get_num_threads() / (time.process_time() - began)
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return steps / (time.perf_counter() - began)


def measure_command(raster: str, name: str | None = None, device: str = "cpu") -> dict[str, Any]:
    """Seconds of ``adapt`` as a command on a scene, import of the libraries included, and what it did."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "engine", "adapt", "--raster", raster, "--hazard", HAZARD, "--json"]
        command += ["--save", f"{folder}/adapted", "--device", device, *(["--model", name] if name else [])]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"adapt failed: {done.stderr}")
    found = json.loads(done.stdout)
    return {
        "command_s": seconds, "adapt_s": found["seconds"], "verdict": found["verdict"],
        "candidates": len(found["stages"]), "steps": max(row["steps"] for row in found["stages"]),
    }  # fmt: skip


def measure(device: str = "cpu", command: bool = True, name: str | None = None, turns: int = TURNS) -> dict[str, Any]:
    """All figures, on a scene that is written for it."""
    with tempfile.TemporaryDirectory() as folder:
        raster = Path(folder) / "scene.tif"
        write_scene(raster)
        figures: dict[str, Any] = {"device": device, **measure_steps(str(raster), name, device, turns)}
        if command:
            figures.update(measure_command(str(raster), name, device))
    return figures


def main() -> int:
    """Print the figures as text, or with --json as one value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--model", help="the default of the hazard when not given")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--command", action="store_true", help="time the whole command, too (a minute)")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    found = measure(given.device, given.command, given.model, given.turns)
    if given.json:
        print(json.dumps(found))
        return 0
    print(
        f"{SIDE_PX} x {SIDE_PX} pixels, {found['device']}: {found['steps_per_s']:.2f} steps a second, "
        f"{found['ratio']:.1f} times those of a naive loop (aim 3), {found['ratio_lean']:.1f} times those of a lean one"
    )
    if given.command:
        print(
            f"the command: {found['command_s']:.0f} s (aim 60), {found['candidates']} candidates and {found['steps']} "
            f"steps, {found['verdict']}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
