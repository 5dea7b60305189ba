# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Review a few frames, and name the rest of the dive
#
# A model that was trained on other dives knows a new one badly. But frames of one dive are alike: a
# person who names a few of them names most of the others. Here the program asks for frames, you
# name them, and the rest of the dive is named anew. On real dives that training never saw, five
# frames took MAP@20 from 0.64 to 0.91 (docs/experiments/0040-adaptation.md).
#
# Run the cells from top to bottom, in Jupyter or in Colab. Nothing needs a change, but `DATA`:
# write the path of your own data set there (a folder as the competition has it, a COCO file or a
# CSV). Without one, frames of sea animals are drawn here. What is made stands in `notebook-runs/`,
# which the five notebooks share: the second one finds what the first one made.

# %%
import importlib.util
import subprocess
import sys

# Where the package is missing, as in Colab, it is installed: by its name, or from a copy of the
# project, whose folder or .zip you name here.
PACKAGE = "finding-nemo[train,fast]"
if importlib.util.find_spec("finding_nemo") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", PACKAGE], check=True)

# %%
import csv
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

import finding_nemo as nemo

DATA = ""
WORK = Path("notebook-runs", Path(DATA).stem or "drawn")
folder = Path(DATA) if DATA else WORK / "frames"
if not DATA and not (folder / "category_key.csv").exists():
    nemo.draw_dataset(folder, dives=16, images=160, seed=1, overwrite=True)
dataset = nemo.read_dataset(folder)
dataset

# %% [markdown]
# ## A model
#
# Whole dives are kept for the test, a third of the frames. `probe` is the recipe that trains
# fastest. It is trained once: where `notebook-runs/` holds it already, this cell returns at once.

# %%
split = nemo.make_split(dataset, by="dive", fraction=0.35, val_fraction=0.25)
run = nemo.train(
    dataset,
    out=WORK / "probe",
    recipe="probe",
    split=split,
    resume=(WORK / "probe").exists(),
)
test = dataset.subset(split.ids_in("test"))
split

# %% [markdown]
# ## Predict, with what the review needs
#
# `with_embedding` keeps the features of each frame, by which frames are compared with each other.

# %%
predictor = nemo.Predictor(run.bundle, with_embedding=True)
predicted = WORK / "review.parquet"
n_frames = predictor.predict(test).to_parquet(predicted, overwrite=True)
print(f"{n_frames} frames predicted: {predicted.name}")

# %% [markdown]
# ## Which frames to look at
#
# It asks for frames that stand for many others. `why` says what each one stands for.

# %%
asked = nemo.suggest(predicted, per_dive=5, dataset=dataset)
for row in asked.rows[:5]:
    print(f"{row.rank}. {row.image_id} of {row.dive}: {row.why}")

# %%
shown = [dataset.by_id[row.image_id] for row in asked.rows[:4]]
figure, grid = plt.subplots(1, len(shown), figsize=(2.6 * len(shown), 2.2), layout="constrained")
for axes, record in zip(grid, shown, strict=True):
    axes.imshow(Image.open(record.path))
    axes.set_axis_off()
plt.show()

# %% [markdown]
# ## What you saw
#
# A table with two columns: the frame, and the animals in it, parted by semicolons. You would write
# it by hand, or on the page of `finding-nemo review`. Here the labels of the data set stand in for
# you, as somebody has named these frames already.


# %%
def write_reviews(image_ids: list[str], path: Path) -> None:
    """Write what the data set's labels say of some frames, as a table of reviews."""
    name_of = dict(zip(dataset.categories.ids, dataset.categories.names, strict=True))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "categories"])
        for image_id in image_ids:
            ids = dataset.by_id[image_id].category_ids or ()
            table.writerow([image_id, ";".join(name_of[number] for number in ids)])


# %% [markdown]
# ## The rest of the dives, named anew
#
# Only frames that nobody looked at are counted, the same ones before and after.

# %%
asked_for = {
    n: [row.image_id for row in nemo.suggest(predicted, per_dive=n, dataset=dataset).rows]
    for n in (2, 5)
}
looked_at = {image_id for ids in asked_for.values() for image_id in ids}
rest = dataset.subset(name for name in split.ids_in("test") if name not in looked_at)
before = nemo.evaluate(predictor.predict(rest), rest)
scores = {"nobody looked": before.model.map_at_20.value}
for n, image_ids in asked_for.items():
    reviews, adapted = WORK / f"reviews-{n}.csv", WORK / f"adapted-{n}.parquet"
    write_reviews(image_ids, reviews)
    done = nemo.adapt(predicted, reviews=reviews, out=adapted, dataset=dataset, overwrite=True)
    after = nemo.evaluate(adapted, rest)
    scores[f"{n} frames a dive"] = after.model.map_at_20.value
    print(f"{done.n_reviewed} frames looked at name {done.n_rest} others in {done.n_dives} dives")

# %%
figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
axes.bar(list(scores), list(scores.values()), color=["#a9b4c2", "#61a5c2", "#2a6f97"])
axes.set(ylabel="MAP@20 of the rest", ylim=(0, 1.1))
for place, score in enumerate(scores.values()):
    axes.text(place, score + 0.02, f"{score:.2f}", ha="center")
plt.show()

# %% [markdown]
# The drawn frames are few: the numbers here show how it works, not how well.
#
# ## Where to go from here
#
# * `finding-nemo review FILE --images FOLDER` is the same on a page, by keyboard: `docs/review.md`.
# * `predictions_to_obis.ipynb` hands reviewed predictions on.
