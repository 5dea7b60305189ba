"""Examples for the help of each verb, as a person would type them."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "demo": ("finding-nemo demo --out my-demo",),
    "inspect": (
        "finding-nemo inspect fathomnet/",
        "finding-nemo inspect annotations.json --images frames/ --out inspect.html",
    ),
    "split": (
        "finding-nemo split fathomnet/ --by dive --out split.csv",
        "finding-nemo split fathomnet/ --by dive --folds 5 --out folds.csv",
    ),
    "train": (
        "finding-nemo train fathomnet/ --out runs/probe",
        "finding-nemo train fathomnet/ --recipe nemo --split split.csv --out runs/nemo",
        "finding-nemo train fathomnet/ --recipe nemo --out runs/nemo --resume",
        "finding-nemo train fathomnet/ --out runs/long --set epochs=60 --set dropout=0.5",
    ),
    "predict": (
        "finding-nemo predict runs/nemo dive-0297/ --out dive-0297.parquet",
        "finding-nemo predict runs/nemo dive.mp4 --every 5s --out dive.csv",
        "finding-nemo predict runs/nemo archive/ --shard 1/20 --out part-1.parquet",
    ),
    "merge": ("finding-nemo merge part-1.parquet part-2.parquet --out all.parquet",),
    "similar": ("finding-nemo similar runs/nemo archive.parquet frame.png --count 20",),
    "evaluate": (
        "finding-nemo evaluate dive.parquet fathomnet/ --split split.csv --part test "
        "--out report.html",
    ),
    "score": ("finding-nemo score submission.csv solution.csv",),
    "compare": (
        "finding-nemo compare fathomnet/ --recipes prior,time-copy,probe --by dive --folds 4 "
        "--out comparison",
    ),
    "recipes": ("finding-nemo recipes", "finding-nemo recipes nemo"),
    "novelty": ("finding-nemo novelty fathomnet/ --out novelty",),
    "tune": ("finding-nemo tune fathomnet/ --recipe probe --minutes 60 --out tuned",),
    "ensemble": ("finding-nemo ensemble runs/nemo runs/probe --out runs/both",),
    "export": ("finding-nemo export runs/nemo --to openvino --int8",),
}


def epilog_of(verb: str) -> str:
    """Return the examples as the end of a help page; an empty line keeps lines apart."""
    return "\n\n".join(("Examples:", *(f"  {example}" for example in EXAMPLES[verb])))
