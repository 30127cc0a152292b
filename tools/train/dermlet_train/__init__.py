"""Dermlet's training tool: prepare pictures, train a network, calibrate it, export it for the page.

Run `dermlet-train --help`; without installing, `python -m dermlet_train --help` in `tools/train`.
"""
