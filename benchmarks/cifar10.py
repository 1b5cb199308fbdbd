"""Small photographs in ten classes: what a search reaches in a few minutes, beside a net that was tuned by hand.

As in mnist.py a search and the hand-tuned net get the same seconds and the whole machine, in turn, and the test part is
touched once. With the first seed two others take part: random search in the same time, without pruning, portfolio
and final training (`random_accuracy`), and the small net of PyTorch's first tutorial, trained as there, for two
epochs (`tutorial_accuracy`). On a GPU `time_to_90_s` is the time until a trial has reached 90% on the validation rows.

    python benchmarks/cifar10.py --data DIR [--budget SECONDS] [--seeds N] [--device cpu|cuda] [--quick] [--runs FILE]
                                 [--json FILE]

DIR holds the folder ``cifar10`` with Parquet files. A plot is left beside the JSON.
"""

from __future__ import annotations

from images import ImageBenchmark, main

CIFAR10 = ImageBenchmark(
    name="cifar10",
    title="CIFAR10",
    budget={"cpu": 600.0, "cuda": 300.0},
    gaps={600.0: 0.0, 180.0: 0.02},
    on_gpu=0.92,
    quick=30.0,
    beside=("random", "tutorial"),
    milestone=0.9,
)

if __name__ == "__main__":
    main(CIFAR10, __doc__ or "")
