"""Which bundles can make an ensemble, and how much each of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.errors import BundleError, SettingsError, SplitError
from finding_nemo.core.records import Split
from finding_nemo.data.splits.split_csv import split_hash
from finding_nemo.models.bundle.bundle import Bundle


def shares_of(bundles: Sequence[Bundle], shares: Sequence[float] | None) -> list[float]:
    """Return one share a bundle, with sum 1.

    Raises:
        SettingsError: If there are fewer than two bundles, or `shares` does not fit them.
    """
    if len(bundles) < 2:
        raise SettingsError(f"An ensemble needs two bundles or more; got {len(bundles)}.")
    wanted = list(shares) if shares else [1.0] * len(bundles)
    if len(wanted) != len(bundles) or not all(0 < share < float("inf") for share in wanted):
        raise SettingsError(
            f"The shares are {', '.join(f'{share:g}' for share in wanted)}; wanted "
            f"{len(bundles)} numbers above 0, one a bundle in the same order."
        )
    return [share / sum(wanted) for share in wanted]


def check_members(bundles: Sequence[Bundle], split: Split) -> None:
    """Check that bundles can be averaged, and that `split` is the one they were trained with.

    Raises:
        BundleError: If not; with every reason.
        SplitError: If it has no validation part.
    """
    if not split.parts.get("val"):
        raise SplitError(
            "The split has no images in part 'val': an ensemble is calibrated on images that none "
            "of its members learnt from. Train them with a split that has some."
        )
    digest = split_hash(split)
    first = bundles[0]
    faults = [fault for bundle in bundles for fault in _faults(bundle, first, digest)]
    if faults:
        raise BundleError(f"These bundles make no ensemble: {'; '.join(faults)}.")


def check_out(bundles: Sequence[Bundle], out: Path) -> None:
    """Check that writing to `out` replaces no member.

    Raises:
        SettingsError: If it would.
    """
    for bundle in bundles:
        if bundle.path.resolve().is_relative_to(out.resolve()):
            raise SettingsError(f"{out} holds the member {bundle.path}: choose another output.")


def _faults(bundle: Bundle, first: Bundle, split_digest: str) -> list[str]:
    manifest, faults = bundle.manifest, []
    if manifest.runner != "network":
        return [f"{bundle.path} ({manifest.recipe}) opens no image, so it has no network"]
    if manifest.activation != "sigmoid":
        faults.append(f"{bundle.path} ({manifest.recipe}) gives no logits that could be averaged")
    if bundle.categories != first.categories:
        faults.append(f"{bundle.path} has other categories than {first.path}")
    sizes = [(p.width_px, p.height_px) for p in (bundle.preprocessing, first.preprocessing)]
    if sizes[0] != sizes[1]:
        (width, height), (wanted_width, wanted_height) = sizes
        faults.append(
            f"{bundle.path} takes frames of {width} x {height} px and {first.path} of "
            f"{wanted_width} x {wanted_height} (train with --set width_px and height_px alike)"
        )
    ways = [p.resize for p in (bundle.preprocessing, first.preprocessing)]
    if ways[0] != ways[1]:
        faults.append(f"{bundle.path} resizes frames by {ways[0]} and {first.path} by {ways[1]}")
    if manifest.split.sha256 != split_digest:
        faults.append(
            f"{bundle.path} was trained with another split, so it may have learnt from the images "
            "that the ensemble is calibrated on"
        )
    return faults
