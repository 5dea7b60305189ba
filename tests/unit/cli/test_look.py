"""`look`: bundles told from images, truth beside, failures in one line, pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from finding_nemo.cli.app import app
from finding_nemo.cli.prediction_verbs.look import bundle_names, split_names
from finding_nemo.prediction.sources.display_image import display_pixels, display_size
from finding_nemo.prediction.sources.image_sources import collect_images


def look(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["look", *map(str, words)])
    return result.exit_code, result.output + str(result.exception or "")


@pytest.fixture(scope="module")
def two_frames(tiny_folder: Path) -> tuple[Path, Path]:
    images = tiny_folder / "images/train"
    return images / "f0.png", images / "f1.png"


def test_bundles__are_folders_that_hold_one(small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / "bundle").symlink_to(small_bundle)
    names = [str(run), "a.png", str(small_bundle), str(tmp_path / "frames"), "b*.png"]
    bundles, images = split_names(names)
    assert bundles == [run, small_bundle]
    assert images == ["a.png", str(tmp_path / "frames"), "b*.png"]
    with pytest.raises(typer.BadParameter, match="None of 'a.png' is a bundle"):
        split_names(["a.png"])
    with pytest.raises(typer.BadParameter, match="at least one image"):
        split_names([str(run)])


def test_bundle_names__are_those_of_their_runs() -> None:
    paths = [Path("/a/runs/nemo"), Path("/b/other/nemo/bundle"), Path("/a/runs/probe/bundle")]
    assert bundle_names(paths) == ["runs/nemo", "other/nemo", "probe"]


def test_look__says_guesses_of_each_bundle_and_failures(
    small_bundle: Path, bundle_with_maps: Path, two_frames: tuple[Path, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    code, said = look(small_bundle, bundle_with_maps, two_frames[0], broken, "--top", "3")
    assert code == 0, said
    lines = said.splitlines()
    assert sum("all: animal" in line for line in lines) == 6
    assert f"{two_frames[0]} (64 x 48 px)" in lines
    assert [line for line in lines if line.startswith(f"{broken}: ")]
    assert "never seen in training" in said or "images, 1 dive" in said
    assert "truth" not in said


def test_look__with_a_data_set_says_the_truth(
    small_bundle: Path, two_frames: tuple[Path, Path], tiny_folder: Path, many_frames: Path
) -> None:
    stranger = many_frames / "dive0/001.png"
    code, said = look(small_bundle, *two_frames, stranger, "--data", tiny_folder, "--top", "30")
    assert code == 0, said
    assert said.count("truth: animal") == 2
    assert said.count("(true)") >= 2


def test_look__fails_where_nothing_can_be_used(small_bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    code, said = look(small_bundle, broken)
    assert code == 1
    assert "No image could be used" in said


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_picture__is_written_beside_the_words(
    bundle_with_maps: Path, two_frames: tuple[Path, Path], tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"look.{suffix}"
    code, said = look(bundle_with_maps, *two_frames, "--out", out)
    assert code == 0, said
    assert f"picture {out}" in said
    content = out.read_bytes()
    assert content.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    code, said = look(bundle_with_maps, *two_frames, "--out", out)
    assert code == 1
    assert "exists" in said
    code, said = look(bundle_with_maps, *two_frames, "--out", out, "--overwrite", "--no-maps")
    assert code == 0, said
    assert out.read_bytes() != content


def test_picture__never_replaces_an_image_or_another_format(
    small_bundle: Path, two_frames: tuple[Path, Path], many_frames: Path, tmp_path: Path
) -> None:
    before = two_frames[0].read_bytes()
    code, said = look(small_bundle, two_frames[0], "--out", two_frames[0], "--overwrite")
    assert code != 0
    assert two_frames[0].read_bytes() == before, said
    assert look(small_bundle, two_frames[0], "--out", tmp_path / "a.html")[0] == 2
    code, said = look(small_bundle, many_frames / "dive1", "--out", tmp_path / "a.png")
    assert code == 2
    assert "at most 12 images" in said


def test_display__keeps_the_shape_of_a_frame(two_frames: tuple[Path, Path]) -> None:
    assert display_size((4000, 1000), most_px=1200) == (1200, 300)
    assert display_size((640, 480), most_px=1200) == (640, 480)
    assert display_size((1, 9000), most_px=900) == (1, 900)
    (image,) = collect_images([str(two_frames[0])])
    pixels = display_pixels(image, (64, 48), most_px=32)
    assert pixels is not None
    assert pixels.shape == (24, 32, 3)


def test_look__finds_the_truth_of_a_copy_by_its_name_and_says_so(
    small_bundle: Path, two_frames: tuple[Path, Path], tiny_folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / two_frames[0].name
    shutil.copy(two_frames[0], copy)
    code, said = look(small_bundle, copy, "--data", tiny_folder)
    assert code == 0, said
    assert said.count("truth: animal") == 1
    assert f"the truth shown is that of {two_frames[0]}, found by its name" in said.replace(
        "\n", ""
    )


def test_look__shows_no_truth_where_several_frames_have_the_name(
    small_bundle: Path, two_frames: tuple[Path, Path], tmp_path: Path
) -> None:
    for dive in ("a", "b"):
        (tmp_path / "data" / dive).mkdir(parents=True)
        shutil.copy(two_frames[0], tmp_path / "data" / dive / "f0.png")
    table = tmp_path / "data/labels.csv"
    table.write_text("path,categories\na/f0.png,animal0\nb/f0.png,animal1\n")
    code, said = look(small_bundle, two_frames[0], "--data", table, "--images", tmp_path / "data")
    assert code == 0, said
    assert "truth:" not in said
    assert "2 frames of the data set have this name" in said.replace("\n", " ")
