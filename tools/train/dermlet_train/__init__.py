"""Dermlet's training tool: prepare pictures, train a network, calibrate it, export it for the page.

Run `python -m dermlet_train --help` from `tools/train`.
"""
