"""PyTorch's first tutorial on pictures as an experiment: first as it is there, then with its settings searched.

A training loop of one's own becomes a trial inside an estimator: `fit` is the loop, and what it logs through
`Run.get_context()` is the trial's record. As it is there: SGD with a learning rate of 0.001 and momentum 0.9, batches
of 4, two epochs, and the mean loss of every 2,000 batches, which falls from about 2.2 to about 1.3.

    AUTOML_DATA_DIR=DIR python examples/tutorial_cifar10.py

DIR holds the folder cifar10; without it the data is downloaded.
"""

import json

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn
from torch.nn import functional

import automl


class Net(nn.Sequential):
    """Of the tutorial, for pictures of 32 x 32."""

    def __init__(self, classes: int) -> None:
        super().__init__(
            nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120), nn.ReLU(),
            nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, classes),
        )  # fmt: skip


class TutorialClassifier(ClassifierMixin, BaseEstimator):
    """The tutorial's loop; the view "pixels" gives it uint8 of shape (n, height, width, channels)."""

    def __init__(
        self,
        lr: float = 0.001,
        momentum: float = 0.9,
        batch_size: int = 4,
        epochs: int = 2,
        pictures_per_log: int = 8_000,  # 2,000 batches of 4
        random_state: int | None = None,  # the trial's seed
    ) -> None:
        self.lr = lr
        self.momentum = momentum
        self.batch_size = batch_size
        self.epochs = epochs
        self.pictures_per_log = pictures_per_log
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "TutorialClassifier":
        run = automl.Run.get_context()
        torch.manual_seed(self.random_state or 0)
        self.classes_, codes = np.unique(y, return_inverse=True)
        pictures, labels = scaled(X), torch.from_numpy(codes)
        self.net_ = Net(len(self.classes_))
        optimizer = torch.optim.SGD(self.net_.parameters(), lr=self.lr, momentum=self.momentum)
        total, seen = 0.0, 0
        for _ in range(self.epochs):
            for batch in torch.randperm(len(labels)).split(self.batch_size):
                optimizer.zero_grad()
                loss = functional.cross_entropy(self.net_(pictures[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                total, seen = total + loss.item() * len(batch), seen + len(batch)
                if seen >= self.pictures_per_log:
                    run.log("loss", total / seen)
                    total, seen = 0.0, 0
        return self

    @torch.no_grad()
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.net_(scaled(X)).softmax(1).numpy()

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(1)]


def scaled(pixels: np.ndarray) -> torch.Tensor:
    """Values from -1 to 1, (n, channels, height, width)."""
    return (torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def space(**params: object) -> dict[str, object]:
    """Nothing but the tutorial's net. Trials import this file, by its name."""
    net = {"estimator": "tutorial_cifar10.TutorialClassifier", "requires": "torch", "view": "pixels", "params": params}
    return {"algorithms": {"tutorial": net}}


SEARCHED = space(
    lr={"type": "float", "low": 1e-4, "high": 1e-1, "log": True, "default": 0.001},
    momentum={"type": "float", "low": 0.0, "high": 0.99, "default": 0.9},
    batch_size={"type": "categorical", "choices": [4, 16, 64, 256], "default": 4},
)

if __name__ == "__main__":  # the estimator is trusted: it is code of our own
    alone = {"space": space(), "pruner": None}  # a pruner would first have it trained on a part of the pictures
    as_it_is = automl.fit("image_classification", "cifar10", metric="accuracy", max_trials=1, search=alone, trust=True)
    for line in (as_it_is.directory / "trials" / "00000" / "metrics.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["name"] == "loss":
            print(f"loss = {entry['value']:.3f}")
    print(f"as it is: {as_it_is.best.value:.4f}")

    searched = automl.fit(
        "image_classification", "cifar10", metric="accuracy", time_budget="15m", search={"space": SEARCHED}, trust=True
    )
    print(searched.leaderboard().head())
    print(f"searched: {searched.best.value:.4f} with {searched.best_params}")
