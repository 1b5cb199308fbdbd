"""Pictures of digits: what a search reaches in a few minutes, beside a net that was tuned by hand.

For each seed, in turn, a search from an empty workspace and the hand-tuned net get the same seconds and the whole
machine. Both train on the training part; the test part is touched once, at the end. `gap_to_reference` is
`reference_accuracy` less `test_accuracy`, both means over the seeds, as fractions. `standard_error` is that of one
accuracy on the test part's 10,000 rows. Without torch the search runs alone, with its classical models.

    python benchmarks/mnist.py --data DIR [--budget SECONDS] [--seeds N] [--device cpu|cuda] [--quick] [--runs FILE]
                               [--json FILE]

DIR holds the folder ``mnist`` with the four original files. A plot is left beside the JSON.
"""

from __future__ import annotations

from images import ImageBenchmark, main

MNIST = ImageBenchmark(
    name="mnist",
    title="MNIST",
    budget={"cpu": 600.0, "cuda": 60.0},
    gaps={600.0: 0.0005, 180.0: 0.001, 60.0: 0.003},
    without_torch={180.0: 0.985},
    on_gpu=0.997,
)

if __name__ == "__main__":
    main(MNIST, __doc__ or "")
