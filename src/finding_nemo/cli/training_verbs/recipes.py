"""`finding-nemo recipes [NAME]`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result

EXAMPLES = (
    "finding-nemo recipes",
    "finding-nemo recipes nemo",
)


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="A recipe, to see its settings; without, all are listed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """List what can be trained, and the settings of each recipe with their meaning."""
    from finding_nemo.reporting.terminal.recipes_text import print_recipe, print_recipes
    from finding_nemo.training.recipes.describe_settings import describe_settings
    from finding_nemo.training.recipes.registry import RECIPES, find_recipe

    chosen = tuple(RECIPES.values()) if name is None else (find_recipe(name),)
    if as_json:
        described = {
            recipe.name: {
                "about": recipe.about,
                "settings": {
                    setting.name: {
                        "default": setting.default,
                        "choices": list(setting.choices),
                        "meaning": setting.meaning,
                    }
                    for setting in describe_settings(recipe.settings)
                },
            }
            for recipe in chosen
        }
        print_result(json.dumps(described, indent=2, ensure_ascii=False))
    elif name is None:
        print_recipes([(recipe.name, recipe.about) for recipe in chosen])
    else:
        (recipe,) = chosen
        rows = [(s.name, s.in_words, s.meaning) for s in describe_settings(recipe.settings)]
        print_recipe(recipe.name, recipe.about, rows)
