"""Decoder families: one file per way of turning output tensors into tables."""
