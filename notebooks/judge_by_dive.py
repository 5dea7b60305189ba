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
# # Judge a model by dive
#
# How good is a model on the next dive, and how far may one trust a single answer? This notebook
# trains a model, lets it name the frames of dives that it never saw, and looks at the answer from
# five sides.
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
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

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
# ## The score, with what surrounds it
#
# `MAP@20` is 1 where the true animals stand first in every list. Beside it stands what the same
# list for every frame gets (`prior`). The interval draws whole dives anew.

# %%
predictor = nemo.Predictor(run.bundle)
predictions = list(predictor.predict(test))
found = nemo.evaluate(predictions, dataset, split=split, part="test")
found

# %%
for method in (found.model, found.prior):
    score = method.map_at_20
    print(f"{method.name:6} MAP@20 {score.value:.3f} ({score.low:.3f} to {score.high:.3f})")
print(f"{found.n_images} frames of {found.n_dives} dives; {found.n_failed} could not be read")

# %% [markdown]
# ## Dive by dive
#
# A mean hides that one dive is read well and the next one badly. The grey line is the mean over all
# frames.

# %%
dives = sorted({image.dive for image in found.images})
means = [
    np.nanmean([image.average_precision for image in found.images if image.dive == dive])
    for dive in dives
]
figure, axes = plt.subplots(figsize=(6, 0.5 * len(dives) + 1.2), layout="constrained")
axes.barh(np.arange(len(dives)), means, color="#2a6f97")
axes.axvline(found.model.map_at_20.value, color="#8d99ae")
axes.set_yticks(np.arange(len(dives)), dives, parse_math=False)
axes.set(xlabel="MAP@20 of the dive", xlim=(0, 1))
plt.show()

# %% [markdown]
# ## Animal by animal
#
# What was seen in few dives of training is seldom recognised in another one.

# %%
print(f"{'animal':32} {'AP':>5} {'frames':>7} {'dives in training':>18}")
seen = [category for category in found.categories if category.n_images]
for category in sorted(seen, key=lambda category: -category.ap):
    print(
        f"{category.name[:32]:32} {category.ap:5.2f} {category.n_images:7} "
        f"{category.train_dives if category.train_dives is not None else '?':>18}"
    )

# %% [markdown]
# ## May one trust a probability?
#
# Of all answers that were given 0.3, three of ten should be right: then the points lie on the line.
# Of so few frames, as here, they jump about it.

# %%
nemo.plot_reliability(found)

# %% [markdown]
# ## May one trust an answer?
#
# Each frame gets one answer with a word: sure, likely or guess. A model of so few frames, as here,
# calls nothing sure.

# %%
for answer in found.answers:
    if answer.n_images:
        print(f"{answer.word:8} {answer.n_images:4} frames, {answer.n_right:4} right")

# %% [markdown]
# ## Frames, and what was said of them
#
# Every seventh frame of the test; what is right stands in bold.

# %%
nemo.plot_predictions(predictions[::7], truth=test, most=3)
