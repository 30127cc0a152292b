"""Classifies an archive with Spark: `mapInPandas` gives a Python worker paths, which keeps its Classifier.

python spark_archive.py --images archive/ --model models/skin-8 --out rows/ --workers 2 [--address spark://host:7077]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from archive import SCHEMA, options, row_of, run
from pyspark.sql import SparkSession

from dermlet_core import Classifier

BATCH = 16  # pictures that a worker is given at once
COLUMNS = ", ".join(
    f"{field.name} {'array<string>' if field.name == 'prediction_set' else str(field.type)}" for field in SCHEMA
)


def main() -> None:
    chosen = options("Classifies an archive with Spark.")
    here = Path(__file__).parent
    # Executors are processes of their own, of one core each.
    master = chosen.address or f"local-cluster[{chosen.workers},1,1024]"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master(master)
        .appName("dermlet")
        .config("spark.cores.max", chosen.workers)
        .config("spark.executorEnv.PYTHONPATH", str(here))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    model = str(chosen.model)

    def classify(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        classifier = Classifier(model)  # once a partition
        for batch in batches:
            yield pd.DataFrame([row_of(classifier, path) for path in batch["path"]], columns=SCHEMA.names)

    def write_chunk(paths: list[str], folder: Path) -> None:
        # Some partitions more than workers, so that none waits long for the last.
        parts = min(len(paths), 4 * chosen.workers)
        frame = spark.createDataFrame(pd.DataFrame({"path": paths})).repartition(parts)
        frame.mapInPandas(classify, COLUMNS).write.parquet(str(folder))

    run(chosen, write_chunk)
    spark.stop()


if __name__ == "__main__":
    main()
