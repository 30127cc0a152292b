"""Teachers: the softened answers of one or several trained networks that a student learns beside the labels (Hinton et
al. 2015).

A teacher sees exactly what the student sees, mixed pictures included (Beyer et al. 2022), brought to its own
preprocessing and size.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoint import load_classifier
from .config import Recipe
from .depthwise import channels_last
from .preprocessing import Preprocessing


class Teachers:
    """An ensemble of checkpoints; their probabilities are averaged. Teachers may be any network, size, and hold more
    classes than the student.
    """

    def __init__(self, recipe: Recipe, preprocessing: Preprocessing, device: torch.device) -> None:
        self.temperature, self.preprocessing = recipe.distill_temperature, preprocessing
        self.members = []
        for path in recipe.teacher:
            trained = load_classifier(Path(path))
            classes = trained.classes or (
                recipe.classes if trained.network.head.out_features == len(recipe.classes) else ()
            )
            if missing := [name for name in recipe.classes if name not in classes]:
                raise ValueError(f"teacher {path}: does not know {', '.join(missing)}")
            columns = torch.tensor([classes.index(name) for name in recipe.classes], device=device)
            network = trained.network.to(device).requires_grad_(False)
            channels_last(network)
            self.members.append((network, trained.size, columns))

    @torch.no_grad()
    def targets(self, pixels: Tensor) -> Tensor:
        """(N, K) probabilities at the temperature, for pixels as the student gets them."""
        answers = []
        for network, size, columns in self.members:
            converted = self.preprocessing.convert(pixels, network.preprocessing)
            if size and size != pixels.shape[-1]:
                converted = nn.functional.interpolate(
                    converted, (size, size), mode="bilinear", antialias=size < pixels.shape[-1]
                )
            logits = network(converted.contiguous(memory_format=torch.channels_last)).float()[:, columns]
            answers.append((logits / self.temperature).softmax(1))
        return torch.stack(answers).mean(0)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Divergence of the student from the teachers at the temperature, times its square, so that gradients keep
        their size.
        """
        softened = (logits / self.temperature).log_softmax(1)
        return nn.functional.kl_div(softened, targets, reduction="batchmean") * self.temperature**2
