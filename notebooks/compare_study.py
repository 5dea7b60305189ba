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
# # Train and compare the study's models
#
# The study trained six models on a random split. Here the smallest of them is trained twice, on a
# random split and on whole dives apart, beside two baselines that open no image. The list of
# models, the number of epochs and the data are yours to change.
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

from IPython.display import Markdown

import finding_nemo as nemo

DATA = ""
WORK = Path("notebook-runs", Path(DATA).stem or "drawn")
folder = Path(DATA) if DATA else WORK / "frames"
if not DATA and not (folder / "category_key.csv").exists():
    nemo.draw_dataset(folder, dives=16, images=160, seed=1, overwrite=True)
dataset = nemo.read_dataset(folder)
dataset

# %% [markdown]
# ## What is trained
#
# `logistic-regression` sees raw pixels, as in the study. `prior` gives every frame the same list,
# the most frequent animals first; `time-copy` copies the labels of the training frame that was
# filmed nearest in time in the same dive. To train more, add names to `RECIPES`: `"probe"`, a small
# model of ours, or `*nemo.STUDY_RECIPES`, all of the study. Those take minutes to hours without a
# GPU; with `EPOCHS = {}` each trains as long as it did in the study.

# %%
RECIPES: tuple[str, ...] = ("prior", "time-copy", "logistic-regression")
EPOCHS: dict[str, object] = {"epochs": 3}
nemo.STUDY_RECIPES

# %% [markdown]
# ## On random frames, as the study did it
#
# A comparison that was stopped goes on where it was when the cell is run again.

# %%
at_random = nemo.compare(
    dataset, out=WORK / "study-random", recipes=RECIPES, by="random", settings=EPOCHS
)
Markdown(at_random.table)

# %% [markdown]
# ## On dives that no model saw

# %%
apart = nemo.make_split(dataset, by="dive", fraction=0.35, val_fraction=0.25)
by_dive = nemo.compare(
    dataset, out=WORK / "study-dive", recipes=RECIPES, split=apart, settings=EPOCHS
)
Markdown(by_dive.table)

# %% [markdown]
# ## Side by side
#
# Each point is a score, each line its 95 % interval by dive. The grey tick is class frequency:
# what the fixed list gets. Of three test dives, as here, an interval is rough.

# %%
nemo.plot_comparison(at_random)

# %%
nemo.plot_comparison(by_dive)

# %% [markdown]
# ## How the training went
#
# Loss of training and validation, and MAP@20 on the validation part, after each epoch.

# %%
nemo.plot_curves(by_dive)

# %% [markdown]
# ## How to read it
#
# * A model that is not above `prior` has learnt which animals are frequent, and no more.
# * On random frames `time-copy` is the one to beat. It opens no image: up to its score, a model may
#   know the dive again and nothing else.
# * What a model does on the next dive stands in the second table. Where the intervals of two models
#   overlap widely, this data set does not say which is better.
#
# The study's own numbers, and what each means, stand on the page `docs/study.md`.
