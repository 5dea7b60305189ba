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
# # From predictions to OBIS
#
# OBIS and GBIF collect where which animal was seen. They take a Darwin Core archive, in which each
# record says who named the animal, a person or a machine, and how far that was checked. This
# notebook makes one from predictions, reviews and the track of the vehicle.
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
# ## Predict

# %%
predictor = nemo.Predictor(run.bundle)
predicted = WORK / "for-obis.parquet"
n_frames = predictor.predict(test).to_parquet(predicted, overwrite=True)
print(f"{n_frames} frames predicted: {predicted.name}")

# %% [markdown]
# ## Where the frames were filmed
#
# Give the path of your navigation: a table with a time, latitude, longitude and depth in each line,
# or with file names instead of times. Without one, a track is **made up** here for the drawn
# frames, so that there is something to hand on. Never hand on a made-up position.

# %%
NAVIGATION = ""
navigation = Path(NAVIGATION) if NAVIGATION else WORK / "made-up-track.csv"
if not NAVIGATION:
    with navigation.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "latitude", "longitude", "depth_m"])
        for number, record in enumerate(test.records):
            place = [round(36.7 + 0.0004 * number, 4), round(-122.1 - 0.0003 * number, 4)]
            table.writerow([record.path.name, *place, 400 + number])

# %% [markdown]
# ## What people saw goes first
#
# Where a person named a frame, her names are handed on as a person's. Here the labels of ten frames
# stand in for her.

# %%
name_of = dict(zip(dataset.categories.ids, dataset.categories.names, strict=True))
reviews = WORK / "reviews-for-obis.csv"
with reviews.open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["id", "categories"])
    for record in test.records[:10]:
        names = ";".join(name_of[number] for number in record.category_ids or ())
        table.writerow([record.image_id, names])

# %% [markdown]
# ## The archive
#
# Answers that are sure or likely are handed on. From a hundred drawn frames a model learns too
# little to be either, so its guesses go along here, to show what such records look like; from your
# own data they are left out. What is left out, and what nobody knows, is counted and said.

# %%
WORDS = ("sure", "likely") if DATA else ("sure", "likely", "guess")
archive = WORK / "darwin-core"
done = nemo.convert(
    predicted,
    to="darwin-core",
    out=archive,
    words=WORDS,
    reviews=reviews,
    navigation=[navigation],
    dataset=dataset,
    overwrite=True,
)
print(f"records of the model: {done.counts.n_labels['machine']}")
print(f"records of people: {done.counts.n_labels['person']}")
for notice in done.notices:
    print("*", notice)

# %%
sorted(path.name for path in archive.iterdir() if not path.name.startswith("."))

# %% [markdown]
# ## Records, as OBIS reads them
#
# `basisOfRecord` says whether a person or a machine named the animal, `identificationReferences`
# which model did. Below stands the first record of each kind. The drawn animals have names of their
# own; those of real ones are looked up in a table of accepted names.
# `not-filled.csv` lists what OBIS wants and nobody said, such as a licence: write it into a file
# `about.toml` and name it with `about=` (`docs/convert.md`).

# %%
with (archive / "occurrence.txt").open(newline="", encoding="utf-8") as file:
    records = list(csv.DictReader(file, delimiter="\t"))
bases = sorted({record["basisOfRecord"] for record in records})
for basis in bases:
    first = next(record for record in records if record["basisOfRecord"] == basis)
    print(basis)
    for term, value in first.items():
        if value:
            print(f"    {term:32} {value[:60]}")

# %% [markdown]
# ## On a map
#
# Positions stand in `event.txt`, one line a frame, and records name their frame.

# %%
with (archive / "event.txt").open(newline="", encoding="utf-8") as file:
    events_by_id = {event["eventID"]: event for event in csv.DictReader(file, delimiter="\t")}
figure, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
for basis in bases:
    events = [events_by_id[r["eventID"]] for r in records if r["basisOfRecord"] == basis]
    places = [event for event in events if event["decimalLatitude"]]
    axes.scatter(
        [float(event["decimalLongitude"]) for event in places],
        [float(event["decimalLatitude"]) for event in places],
        s=18,
        label=basis,
    )
axes.set(xlabel="longitude (made up)" if not NAVIGATION else "longitude", ylabel="latitude")
axes.ticklabel_format(useOffset=False)
axes.locator_params(axis="x", nbins=4)
axes.legend()
plt.show()
