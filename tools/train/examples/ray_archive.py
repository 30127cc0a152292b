"""Classifies an archive with Ray Data: an actor holds a Classifier, `map_batches` gives it paths.

python ray_archive.py --images archive/ --model models/skin-8 --out rows/ --workers 2 [--address ray://...]
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pyarrow as pa
import ray
from archive import options, run, table_of
from ray.cluster_utils import Cluster

from dermlet_core import Classifier

BATCH = 16  # pictures a call: a second or so of work


class Classify:
    """One a worker; the model is loaded once."""

    def __init__(self, model: str) -> None:
        self.classifier = Classifier(model)

    def __call__(self, batch: pa.Table) -> pa.Table:
        return table_of(self.classifier, batch["path"].to_pylist())


def connect(chosen: Namespace) -> None:
    if chosen.address:
        ray.init(address=chosen.address)
        return
    # As many nodes of one core, each with processes of its own: a cluster on this machine.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    for _ in range(chosen.workers - 1):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address)


def main() -> None:
    chosen = options("Classifies an archive with Ray Data.")
    connect(chosen)
    here = str(Path(__file__).parent)
    ray.data.DataContext.get_current().enable_progress_bars = False

    def write_chunk(paths: list[str], folder: Path) -> None:
        pictures = ray.data.from_arrow(
            [pa.table({"path": paths[at : at + BATCH]}) for at in range(0, len(paths), BATCH)]
        )
        pictures.map_batches(
            Classify,
            fn_constructor_args=(str(chosen.model),),
            batch_size=BATCH,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=chosen.workers),
            num_cpus=0.9,  # the rest is for the tasks that write
            runtime_env={"env_vars": {"PYTHONPATH": here}},
        ).write_parquet(str(folder), ray_remote_args={"num_cpus": 0.1})

    run(chosen, write_chunk)
    ray.shutdown()


if __name__ == "__main__":
    main()
