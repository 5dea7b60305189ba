"""Callbacks: what they are told, and what a failing one ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finding_nemo import Callback, EpochRow, TrainedRun, TrainingStart, load_bundle
from finding_nemo.core.errors import ArgumentError, TrainingError
from finding_nemo.training.loop.callbacks import CallbackList

_ROW = EpochRow(3, 0.5, 0.6, 0.7, 1e-3, 2.0, 10.0)
_START = TrainingStart(
    folder=Path("run"), recipe="probe", settings={"epochs": 3}, seed=1, n_train=8, n_val=2
)


class _Listener(Callback):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_train_begin(self, start: TrainingStart) -> None:
        self.heard.append(start)

    def on_epoch_end(self, row: EpochRow) -> None:
        self.heard.append(row)


def test_callbacks__are_told_in_order_and_may_leave_methods_out(small_bundle: Path) -> None:
    listener, epochs = _Listener(), list[EpochRow]()
    callbacks = CallbackList([listener, epochs.append, Callback()])
    callbacks.train_begin(_START)
    callbacks.epoch_end(_ROW)
    callbacks.train_end(TrainedRun(Path("run"), load_bundle(small_bundle), (_ROW,), "0"))
    assert listener.heard == [_START, _ROW]
    assert epochs == [_ROW]


def test_figures__are_all_but_the_number_of_the_epoch() -> None:
    assert _ROW.figures() == {
        "training_loss": 0.5,
        "validation_loss": 0.6,
        "map_at_20": 0.7,
        "learning_rate": 1e-3,
        "seconds": 2.0,
        "images_per_s": 10.0,
    }


def test_callback_that_fails__is_told_with_what_is_kept(small_bundle: Path) -> None:
    class Broken(Callback):
        def on_train_begin(self, start: TrainingStart) -> None:
            raise OSError("no server")

        def on_train_end(self, run: TrainedRun) -> None:
            raise KeyError("x")

    def log(row: EpochRow) -> None:
        raise ValueError

    bundle = load_bundle(small_bundle)
    with pytest.raises(TrainingError, match=r"Broken raised OSError: no server\. No step was tak"):
        CallbackList([Broken()]).train_begin(_START)
    words = r"log raised ValueError: no words\. .* at the end of epoch 3: .* resume=True goes on"
    with pytest.raises(TrainingError, match=words) as caught:
        CallbackList([log]).epoch_end(_ROW)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(TrainingError, match=f"has ended; its bundle is in {bundle.path}"):
        CallbackList([Broken()]).train_end(TrainedRun(Path("run"), bundle, (), "0"))


def test_ctrl_c_in_a_callback__stays_ctrl_c() -> None:
    def stop(row: EpochRow) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CallbackList([stop]).epoch_end(_ROW)


@pytest.mark.parametrize(("callback", "got"), [(3, "int"), (_Listener, "the class _Listener")])
def test_what_can_be_told_nothing__is_refused(callback: Any, got: str) -> None:
    with pytest.raises(ArgumentError, match=rf"train\(callbacks=...\) takes .* got {got}"):
        CallbackList([callback])
