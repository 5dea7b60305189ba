"""The course study in one go: python examples/study.py DATASET OUT [RECIPE ...].

It divides a data set by dive, trains the six networks of the study, and the two larger ones that
it wished for, for an epoch each, judges them on dives that none of them saw, and leaves a table,
pictures and a submission of the best one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import finding_nemo as nemo


def study(
    data: Path, out: Path, recipes: Sequence[str] = nemo.STUDY_RECIPES, **settings: object
) -> nemo.Comparison:
    """Do the study on the data set `data` and leave everything in `out`."""
    dataset = nemo.read_dataset(data)
    split = nemo.make_split(dataset, by="dive")
    compared = nemo.compare(
        dataset,
        out=out,
        recipes=recipes,
        split=split,
        settings={"epochs": 1, **settings},
        reporter=nemo.ConsoleReporter(),
    )
    print(compared.table)
    test = dataset.subset(split.ids_in("test"))
    predictor = nemo.Predictor(compared.run_folder(compared.best.recipe))
    found = nemo.evaluate(predictor.predict(test), dataset, split=split, part="test")
    print(found)
    nemo.plot_categories(dataset).savefig(out / "categories.png")
    nemo.plot_curves(compared).savefig(out / "learning-curves.png")
    nemo.plot_comparison(compared).savefig(out / "comparison.png")
    nemo.plot_reliability(found).savefig(out / "reliability.png")
    nemo.plot_predictions(predictor.predict(test), truth=test).savefig(out / "predictions.png")
    predictor.predict(test).to_submission(out / "submission.csv", overwrite=True)
    return compared


if __name__ == "__main__":
    study(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or nemo.STUDY_RECIPES)
