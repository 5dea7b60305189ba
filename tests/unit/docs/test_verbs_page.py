"""The page of verbs is what the program takes."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import verbs_page


def test_page__is_up_to_date() -> None:
    written = verbs_page.PAGE.read_text(encoding="utf-8")
    assert written == verbs_page.verbs_page(), "make it again: python tests/verbs_page.py"


def test_page__holds_every_verb_and_option_once() -> None:
    known = verbs_page.commands()
    named = Counter(verb for verbs in verbs_page.CHAPTERS.values() for verb in verbs)
    assert named == Counter(list(known))
    page = verbs_page.verbs_page()
    for verb, command in known.items():
        part = page.partition(f"\n### {verb}\n")[2].partition("\n### ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name not in verbs_page._COMMON:
                assert all(part.count(f"| `{name}`") == 1 for name in parameter.opts[:1]), verb


def test_cells__keep_to_their_column_and_are_no_markup() -> None:
    assert verbs_page._cell("a|b\n <c> *d*") == r"a\|b &lt;c> \*d\*"
    option = SimpleNamespace(
        is_flag=False, metavar="NAME", multiple=True, default=0.5, opts=["--a"], secondary_opts=[],
        required=True, help="One|two.",
    )  # fmt: skip
    wanted = r"| `--a` | NAME, several times; usually `0.5` | **Needed.** One\|two. |"
    assert verbs_page._option(option) == wanted
    images = SimpleNamespace(metavar=None, name="images", nargs=-1, required=False)
    assert verbs_page._argument(images) == "`IMAGES ...`, may be left out"
