"""Tests on arm64 without a board: real wheels under emulation, with hardware of our own making."""
