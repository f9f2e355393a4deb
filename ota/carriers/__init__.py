"""Carriers: how a bundle comes to the camera without a technician: USB stick, HTTP(S), hawkBit."""
