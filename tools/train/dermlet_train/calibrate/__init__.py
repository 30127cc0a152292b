"""The `calibrate` step: what the manifest says of a network's scores, fitted on pictures that it was not trained on.

For each modality a temperature, the numbers of its prediction sets (`sets.py`), the cuts of its concern tier
(`tiers.py`) and a rejection threshold; the same for test-time augmentation (the manifest's `testTimeAugmentation`:
the outputs of 8 dihedral views averaged); how two pictures of one lesion, one of each modality, are
combined; and which rejection score is used, chosen by measurement. `export` calls the same functions.

`outputs` runs the network and caches its outputs, `pictures` selects the pictures, `fitting` fits, `findings` writes
into a manifest, `report` words the tables, `run` puts all of it together, `cli` is the command.
"""
