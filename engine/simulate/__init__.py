"""Procedurally simulated scenes with exact labels, for training and for showing."""

from .scene import HAZARDS, SimulatedScene, draw_scene, simulate_scene

__all__ = ["HAZARDS", "SimulatedScene", "draw_scene", "simulate_scene"]
