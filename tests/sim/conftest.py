"""Kernels that were compiled from older sources are thrown away before the first is loaded."""

from __future__ import annotations

from sim.render.warm import forget_stale

forget_stale()
