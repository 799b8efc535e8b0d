"""Procedurally simulated scenes with exact labels, for training and for showing."""

from .scene import HAZARDS, SimulatedScene, compose_scene, draw_scene, seen_labels, simulate_scene

__all__ = ["HAZARDS", "SimulatedScene", "compose_scene", "draw_scene", "seen_labels", "simulate_scene"]
