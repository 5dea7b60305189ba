"""The drawn animals: what they are called, where they live, how common they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.synthetic import bodies
from finding_nemo.synthetic.canvas import Canvas, Colour

Habitat = Literal["mud", "rock", "water"]
Body = Callable[[Canvas, np.random.Generator, Colour], None]

# Below this depth live animals that are not found above it, as in the competition.
DEEP_M = 800.0


@dataclass(frozen=True, slots=True)
class Species:
    """One drawn category.

    Attributes:
        name: Its category name; drawn animals only resemble real ones.
        supercategory: Its group.
        body: Draws it.
        colour: Its colour in white light.
        size_m: Its usual length.
        commonness: Relative number of individuals.
        habitats: Where it is met.
        deep: Whether it lives below 800 m only.
        flat: Whether it lies on the bottom and is foreshortened.
        clump: How many stand together at most.
    """

    name: str
    supercategory: str
    body: Body
    colour: Colour
    size_m: float
    commonness: float
    habitats: tuple[Habitat, ...]
    deep: bool = False
    flat: bool = False
    clump: int = 1

    @property
    def swims(self) -> bool:
        """Whether it is met in the water column only."""
        return self.habitats == ("water",)


_URCHIN = partial(bodies.urchin, spines=70, length=0.5)
_STAR = partial(bodies.star, arms=5, disc=0.3, arm=0.2)

# Commonness falls as one over rank, as in FathomNet, where half of the labels are one urchin.
SPECIES: Sequence[Species] = (
    Species("Pink urchin", "Urchin", _URCHIN, (0.86, 0.52, 0.50), 0.11, 60, ("mud",), flat=True,
            clump=7),
    Species("White urchin", "Urchin", partial(bodies.urchin, spines=46, length=0.55),
            (0.86, 0.84, 0.78), 0.10, 8, ("rock",), flat=True, clump=3),
    Species("Pancake urchin", "Urchin", partial(bodies.urchin, spines=90, length=0.22),
            (0.58, 0.26, 0.20), 0.20, 3, ("mud",), deep=True, flat=True, clump=2),
    Species("Sun star", "Sea star", partial(bodies.star, arms=11, disc=0.42, arm=0.14),
            (0.85, 0.42, 0.24), 0.30, 16, ("mud", "rock"), flat=True),
    Species("Sand star", "Sea star", _STAR, (0.72, 0.62, 0.50), 0.16, 10, ("mud",), flat=True,
            clump=2),
    Species("Cushion star", "Sea star", partial(bodies.star, arms=5, disc=0.55, arm=0.34),
            (0.86, 0.36, 0.30), 0.14, 5, ("rock",), flat=True),
    Species("Brittle star", "Sea star", bodies.brittle_star, (0.78, 0.66, 0.58), 0.16, 12,
            ("mud", "rock"), flat=True, clump=6),
    Species("Rockfish", "Fish", partial(bodies.fish, depth=0.36, tail=0.28, bars=4),
            (0.82, 0.46, 0.34), 0.32, 18, ("rock", "mud"), clump=2),
    Species("Hake", "Fish", partial(bodies.fish, depth=0.22, tail=0.16, bars=0),
            (0.62, 0.64, 0.66), 0.45, 14, ("mud", "water"), clump=2),
    Species("Thornyhead", "Fish", partial(bodies.fish, depth=0.28, tail=0.2, bars=2),
            (0.86, 0.34, 0.26), 0.28, 9, ("mud", "rock")),
    Species("Rattail", "Fish", partial(bodies.fish, depth=0.24, tail=0.04, bars=0),
            (0.46, 0.42, 0.42), 0.50, 5, ("mud",), deep=True),
    Species("Eelpout", "Eel", partial(bodies.eel, radius=0.13, bend=1.0), (0.52, 0.42, 0.36), 0.34,
            8, ("mud",)),
    Species("Hagfish", "Eel", partial(bodies.eel, radius=0.09, bend=2.6), (0.70, 0.52, 0.52), 0.36,
            6, ("mud",), clump=2),
    Species("Snipe eel", "Eel", partial(bodies.eel, radius=0.05, bend=0.7), (0.60, 0.50, 0.44),
            0.60, 2, ("water",)),
    Species("Plumose anemone", "Anemone", partial(bodies.anemone, column=0.9, tentacles=90,
            reach=0.45), (0.92, 0.88, 0.82), 0.30, 10, ("rock",), clump=4),
    Species("Pom-pom anemone", "Anemone", partial(bodies.anemone, column=0.45, tentacles=70,
            reach=0.5), (0.88, 0.52, 0.52), 0.22, 6, ("mud",)),
    Species("Flytrap anemone", "Anemone", partial(bodies.anemone, column=0.8, tentacles=36,
            reach=0.8), (0.82, 0.60, 0.38), 0.24, 4, ("rock", "mud")),
    Species("Running cucumber", "Sea cucumber", partial(bodies.cucumber, thick=0.22, papillae=26),
            (0.80, 0.66, 0.62), 0.18, 9, ("mud",), clump=3),
    Species("Red cucumber", "Sea cucumber", partial(bodies.cucumber, thick=0.3, papillae=12),
            (0.78, 0.20, 0.16), 0.22, 7, ("rock",)),
    Species("Swimming cucumber", "Sea cucumber", partial(bodies.cucumber, thick=0.3, papillae=40),
            (0.46, 0.14, 0.24), 0.24, 3, ("water", "mud"), deep=True),
    Species("Feather sea pen", "Sea pen", partial(bodies.sea_pen, leaves=16, breadth=0.45),
            (0.88, 0.62, 0.42), 0.36, 8, ("mud",), clump=3),
    Species("Slender sea pen", "Sea pen", partial(bodies.sea_pen, leaves=20, breadth=0.14),
            (0.92, 0.86, 0.70), 0.50, 5, ("mud",), clump=5),
    Species("Umbellula", "Sea pen", bodies.umbellula, (0.76, 0.42, 0.36), 0.70, 4, ("mud",),
            deep=True),
    Species("Bell jelly", "Jelly", partial(bodies.jelly, tentacles=14, opacity=0.32),
            (0.72, 0.80, 0.92), 0.14, 10, ("water",), clump=2),
    Species("Red jelly", "Jelly", partial(bodies.jelly, tentacles=18, opacity=0.7),
            (0.62, 0.12, 0.12), 0.16, 3, ("water",), deep=True),
    Species("Comb jelly", "Jelly", bodies.comb_jelly, (0.70, 0.80, 0.90), 0.12, 6, ("water",)),
    Species("Siphonophore", "Jelly", bodies.siphonophore, (0.82, 0.86, 0.92), 0.55, 5,
            ("water",)),
    Species("Spot shrimp", "Shrimp", bodies.shrimp, (0.86, 0.38, 0.28), 0.14, 7, ("rock", "mud"),
            clump=3),
    Species("Glass shrimp", "Shrimp", bodies.shrimp, (0.74, 0.70, 0.70), 0.09, 3, ("water",)),
    Species("Tanner crab", "Crab", partial(bodies.crab, legs=1.0, claws=0.7), (0.80, 0.50, 0.36),
            0.26, 6, ("mud",)),
    Species("Squat lobster", "Crab", partial(bodies.crab, legs=0.7, claws=1.15),
            (0.84, 0.42, 0.28), 0.15, 6, ("rock",), clump=3),
    Species("Vase sponge", "Sponge", partial(bodies.sponge, tubes=3), (0.86, 0.82, 0.70), 0.30, 5,
            ("rock",), clump=2),
    Species("Red fan coral", "Soft coral", partial(bodies.whip, branches=7), (0.80, 0.30, 0.28),
            0.42, 4, ("rock",)),
    Species("Bubblegum coral", "Soft coral", partial(bodies.whip, branches=4), (0.92, 0.62, 0.66),
            0.60, 2, ("rock",), deep=True),
)  # fmt: skip


def drawn_categories() -> CategoryTable:
    """Return the category table of the drawn animals, ids from 1."""
    return CategoryTable(
        tuple(
            Category(number, species.name, species.supercategory)
            for number, species in enumerate(SPECIES, start=1)
        )
    )
