"""The test of one unit on the line: each part measured, held against its limit, and put on a label.

A check takes the `Bench` and yields rows; it may open devices, so the camera must not be running.
"""
