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
# # Explore the data: the study's pictures, and what they hid
#
# A course study of the FathomNet 2023 competition began with a bar for each animal and a random
# split. Both are here. Then come three things that they do not show: frames of one dive look alike,
# few dives hold most frames, and the animals are small.
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
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
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
# ## What the study looked at: how often each animal is seen
#
# A few animals are in many frames, and many animals are in few. Who names the most frequent animal
# in every frame is right often, and has looked at nothing.

# %%
nemo.plot_categories(dataset)

# %%
labels = Counter(len(record.category_ids or ()) for record in dataset.annotated)
figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
axes.bar(list(labels), list(labels.values()), color="#2a6f97")
axes.set(xlabel="kinds of animals in a frame", ylabel="frames", xticks=sorted(labels))
plt.show()

# %% [markdown]
# ## What it hid, first: a dive is filmed in one go
#
# A random split puts frames of one dive into training and into the test. Below stands a test frame
# of a random split, and beside it the training frame of the same dive that was filmed next to it.
# Who has seen the one has seen the other.

# %%
split = nemo.make_split(dataset, by="random")
part_of = split.part_of
timed = [record for record in dataset.annotated if record.captured and record.dive]
pairs = [
    (abs((test.captured - train.captured).total_seconds()), number, test, train)
    for number, test in enumerate(timed)
    for train in timed
    if test.captured and train.captured and test.dive == train.dive
    if part_of.get(test.image_id) == "test" and part_of.get(train.image_id) == "train"
]
if pairs:
    seconds, _, test, train = min(pairs, key=lambda pair: pair[:2])
    figure, both = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    shown = ((test, "in the test"), (train, "in training"))
    for axes, (record, words) in zip(both, shown, strict=True):
        axes.imshow(Image.open(record.path))
        axes.set_axis_off()
        axes.set_title(f"{words}, {seconds:.0f} s apart", fontsize=10)
    plt.show()

# %% [markdown]
# Two baselines that open no image show what that is worth. `prior` gives every frame the same list,
# the most frequent animals first. `time-copy` copies the labels of the training frame that was
# filmed nearest in time in the same dive. On random frames the copy looks like a good model. Where
# whole dives are kept apart there is nothing to copy, and it is no better than the fixed list.

# %%
for way in ("random", "dive"):
    compared = nemo.compare(
        dataset, out=WORK / f"baselines-{way}", recipes=("prior", "time-copy"), by=way
    )
    for row in compared.rows:
        print(f"split by {way:6}  {row.recipe:9}  MAP@20 {row.map_at_20.value:.3f}")

# %% [markdown]
# ## Second: few dives hold most frames
#
# A score over frames is a score of the largest dives. So each score of this package comes with an
# interval that draws whole dives anew, not single frames.

# %%
sizes = sorted(Counter(record.dive or "unknown" for record in dataset.annotated).values())[::-1]
figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
axes.bar(range(1, len(sizes) + 1), sizes, color="#2a6f97")
axes.set(xlabel="dives, the largest first", ylabel="frames")
plt.show()

# %% [markdown]
# ## Third: the animals are small
#
# The study made every frame 224 pixels wide and high. The red line is at 16 pixels: what is
# narrower than that after the resize can hardly be told from a stone.

# %%
widths = np.array(
    [
        box.width_px * 224 / record.width
        for record in dataset.annotated
        for box in record.boxes
        if record.width
    ]
)
if len(widths):
    figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
    axes.hist(widths, bins=30, color="#2a6f97")
    axes.axvline(16, color="#c1121f")
    axes.set(xlabel="width of a box after the resize, in pixels", ylabel="boxes")
    plt.show()
    print(f"median {np.median(widths):.0f} pixels; narrower than 16: {np.mean(widths < 16):.0%}")

# %% [markdown]
# ## Where to go from here
#
# * `compare_study.ipynb` trains models of the study on both splits.
# * `judge_by_dive.ipynb` judges a model on dives that it never saw.
# * `finding-nemo inspect FOLDER --out inspect.html` writes all of this and more as one page.
