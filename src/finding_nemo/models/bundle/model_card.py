"""`MODEL_CARD.md`: what a person should know before trusting a bundle."""

from __future__ import annotations

from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.models.bundle.manifest import BundleManifest, ValidationSummary
from finding_nemo.models.weights_origin import origins_in_words

_SCARCE = 5


def model_card(manifest: BundleManifest) -> str:
    """Return the card in Markdown."""
    never = sum(category.n_images == 0 for category in manifest.categories)
    scarce = sum(0 < category.n_images <= _SCARCE for category in manifest.categories)
    return f"""# {manifest.recipe}

Which of {len(manifest.categories)} categories are in a deep-sea frame, best guess first.

## What it learnt from

{_parts(manifest)}

{never} categories have no training image and {scarce} have {_SCARCE} or fewer: what it says of
those is a guess from frequency, not sight. `bundle.json` gives images and dives for each.

{_origins(manifest)}

## How far to trust it

{_validation(manifest.validation)}

The validation part also chose the epoch, so a score on a part that nothing chose by is the
honest one. {_calibration(manifest)} Another camera, depth or habitat lowers the score
by more than the interval says.

## Use

* For ranking and triage by people who look again; not for counts or absences without review.
* A frame that cannot be read is a row with its reason, never a guess.
* The weights come from the images and annotations of its data set, and from the pretrained weights
  named above; their licenses apply to what you do with it.
"""


def _origins(manifest: BundleManifest) -> str:
    words = [origins_in_words(manifest.weights_origins)]
    words += [
        f"SHA-256 of {origin.source}: `{origin.sha256}`."
        for origin in manifest.weights_origins or ()
        if origin.sha256
    ]
    return "\n\n".join(words)


def _calibration(manifest: BundleManifest) -> str:
    if not manifest.calibration:
        return "Probabilities are not calibrated."
    return f"Probabilities are calibrated on the validation dives: {manifest.calibration}."


def _parts(manifest: BundleManifest) -> str:
    split = manifest.split
    lines = [
        f"* {name}: {in_number(part.n_images, 'image')} of {in_number(part.n_dives, 'dive')}"
        + (f"; {part.n_left_out:,} more could not be used" if part.n_left_out else "")
        for name, part in split.parts.items()
    ]
    return f"Split: {split.kind}.\n\n" + "\n".join(lines)


def _validation(summary: ValidationSummary | None) -> str:
    if summary is None:
        return "No validation image has a true category: nothing is known of its score."
    low, high = summary.map_at_20_ci
    return (
        f"MAP@20 {summary.map_at_20:.3f} on "
        f"{in_number(summary.n_images, 'validation image')} of "
        f"{in_number(summary.n_dives, 'dive')} (95 % interval by dive: "
        f"{interval_in_words(low, high)}); class frequency alone scores "
        f"{summary.prior_map_at_20:.3f} on the same images.\n\n"
        f"{summary.rankings_in_words()}. {_training_part(summary)}"
    )


def _training_part(summary: ValidationSummary) -> str:
    if summary.train_map_at_20 is None:
        return "On training images: not known."
    return (
        f"On training images it is {summary.train_map_at_20:.3f}: what lies between is what the "
        "network remembers of its dives and does not find on new ones."
    )
