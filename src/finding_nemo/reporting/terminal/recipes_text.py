"""Recipes and their settings on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.reporting.terminal.tables import print_columns, print_line


def print_recipes(recipes: Sequence[tuple[str, str]]) -> None:
    """Write each recipe's name and what it is, and how to see its settings."""
    print_columns(recipes)
    print_line("finding-nemo recipes NAME lists the settings of one.")


def print_recipe(name: str, about: str, settings: Sequence[tuple[str, str, str]]) -> None:
    """Write a recipe's settings: name, usual value, meaning."""
    print_line(f"{name}: {about}")
    print_line("")
    if not settings:
        print_line("It has no settings.")
        return
    print_columns(settings)
    print_line("Change one with --set NAME=VALUE, several with more of them or --config FILE.")
