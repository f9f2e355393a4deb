"""Labelled pictures without a camera: random sites from one seed, written as COCO and YOLO.

Lives on `sim.world`; a trainer reads what this room writes as files and never imports it.
"""
