"""A folder of pictures, one subfolder per class: search, then predict a file that the search has never seen."""

from pathlib import Path
from tempfile import mkdtemp

from PIL import Image
from sklearn.datasets import load_digits

import automl

digits = load_digits()
folder = Path(mkdtemp()) / "digits"
for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
    file = folder / str(label) / f"{number:04}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((pixels * 15).astype("uint8")).save(file)
unseen = file.rename(folder.parent / "unseen.png")  # the last one, an 8

result = automl.fit(task="image_classification", data=folder, metric="accuracy", time_budget="60s", max_trials=40)

print(result.leaderboard().head())
print(result.predict([unseen]))  # ['8']: a model takes paths, PIL images and arrays of any size
