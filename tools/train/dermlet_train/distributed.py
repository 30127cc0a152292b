"""One process or many: `torchrun` sets the environment, everything else asks here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed as dist


@dataclass(frozen=True)
class Group:
    """This process's place among `world` processes. `device` is its GPU, or the CPU."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def shared(self, value: Any) -> Any:
        """The first process's value, in every process."""
        if self.world == 1:
            return value
        box = [value if self.first else None]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all must ask."""
        if self.world == 1:
            return flag
        answer = torch.tensor([int(flag)], device=self.device)
        dist.all_reduce(answer, dist.ReduceOp.MAX)
        return bool(answer.item())

    def mean(self, value: float) -> float:
        if self.world == 1:
            return value
        answer = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.all_reduce(answer)
        return answer.item() / self.world

    def mean_of(self, values: torch.Tensor) -> torch.Tensor:
        """The processes' mean of a tensor, in every process."""
        if self.world == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.world


@contextmanager
def joined() -> Iterator[Group]:
    """Joins the processes that `torchrun` started (NCCL on GPUs, else gloo); alone without it."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    if world == 1:
        yield Group(0, 1, torch.device("cuda" if cuda else "cpu"))
        return
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    # The first process evaluates alone after an epoch, the others wait for it: hence the long limit.
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(hours=2))
    try:
        yield Group(dist.get_rank(), world, device)
    finally:
        dist.destroy_process_group()
