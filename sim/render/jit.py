"""The one way in which kernels are compiled: cached on disk, without the lock, exact."""

from __future__ import annotations

from numba import njit

entry = njit(cache=True, nogil=True, error_model="numpy")
"""For what is called from Python and makes its own scratch space."""
kernel = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)
"""No fastmath, no threads: the same bytes on every run. Division by zero gives infinity.

Without numba's run time (_nrt) a kernel allocates nothing, and arrays are not counted whenever one
kernel hands them to another: that took two thirds of the time. Scratch space is handed in.
"""
