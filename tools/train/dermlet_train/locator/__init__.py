"""The lesion finder: scenes with known places, a tiny network, its training, export, test set and figures."""
