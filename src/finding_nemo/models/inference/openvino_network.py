"""An exported network on OpenVINO: the same numbers as ONNX Runtime, faster on a CPU.

It is an extra; nothing here is imported unless it is installed.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Float32s, Pixels
from finding_nemo.core.errors import BundleError, EngineError
from finding_nemo.core.names.inference_names import (
    BFLOAT16,
    CPU,
    FLOAT32,
    INT8,
    PATCH_LOGITS,
    Dtype,
)
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.inference.pixel_network import (
    NetworkOutput,
    PixelNetwork,
    RuntimeChoice,
    joined,
)

# int8 networks hold layers that stay in floating point; those run as fast as the processor can.
_HINTS: Mapping[Dtype, str] = {FLOAT32: "f32", BFLOAT16: "bf16", INT8: "f32"}


def is_openvino_installed() -> bool:
    """Return whether the extra is there, without loading it."""
    return find_spec("openvino") is not None


@lru_cache(maxsize=1)
def _first_core() -> tuple[int, Any]:
    """Return OpenVINO and the process that it was started in."""
    import openvino

    return os.getpid(), openvino.Core()


def _core() -> Any:  # noqa: ANN401 # OpenVINO is untyped
    process, core = _first_core()
    # It keeps threads of networks that are gone for the next ones, so that even a network that is
    # opened anew would wait for threads that are in the other process, for ever.
    if os.getpid() != process:
        raise EngineError(
            "This process was forked from one that had used OpenVINO, whose threads are not here. "
            "Start processes with multiprocessing.get_context('spawn'), fork before the first "
            "prediction, or predict with --runtime onnxruntime."
        )
    return core


def has_bfloat16() -> bool:
    """Return whether this processor computes in bfloat16 itself."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoPixels:
    """A `PixelNetwork` on OpenVINO: one image a request, one request a core."""

    batch_size = 1

    def __init__(
        self,
        network: Path | bytes,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
        with_maps: bool = False,
    ) -> None:
        """Compile a network for this processor.

        Args:
            network: An ONNX file, an OpenVINO file (.xml), or an ONNX file's bytes.
            preprocessing: Size, mean and standard deviation; they become part of the network.
            choice: What computes it, and why.
            workers: How many threads will use it.
            with_maps: Whether it gives patch logits, where it has them.

        Raises:
            BundleError: If it cannot be loaded.
            EngineError: In a process that was forked after OpenVINO was used.
        """
        self.choice = choice
        self.workers = workers
        core = _core()
        try:
            model = core.read_model(network if isinstance(network, bytes) else str(network))
            if not with_maps:
                _forget_maps(model)
            compiled = _compiled(_with_pixels_in(model, preprocessing), choice.dtype, workers)
        except Exception as error:  # OpenVINO raises RuntimeError and classes of its own
            name = "the network" if isinstance(network, bytes) else network
            words = " ".join(str(error).split()).rstrip(".")
            raise BundleError(
                f"OpenVINO cannot load {name}: {words}. Train or copy it again, or predict with "
                "--runtime onnxruntime."
            ) from None
        # A tensor that passes through unchanged has several names, in no order.
        names = [set(output.get_names()) for output in compiled.outputs]
        positions = [
            next((i for i, given in enumerate(names) if i and name in given), None)
            for name in ("features", PATCH_LOGITS)
        ]
        self._free: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        # The first call of each request happens here, in one thread: OpenVINO's Python layer sets
        # itself up on first use, and two threads that do so at once wait for each other for ever.
        for _ in range(workers):
            request = _Request(compiled.create_infer_request(), *positions)
            request.forward(np.zeros(request.image.shape[1:], dtype=np.uint8))
            self._free.put(request)
        self.n_features = 0 if request.features is None else int(request.features.shape[1])

    def forward(self, pixels: Pixels) -> NetworkOutput:
        """Return the outputs for uint8 pixels (images, height, width, 3).

        Raises:
            EngineError: In a process that was forked after OpenVINO was used.
        """
        _core()
        request = self._free.get()
        try:
            return joined([request.forward(image) for image in pixels])
        finally:
            self._free.put(request)


class _Request:
    """One request and the memory that it reads and writes."""

    def __init__(
        self,
        request: Any,  # noqa: ANN401 - OpenVINO is untyped
        position_of_features: int | None,
        position_of_maps: int | None,
    ) -> None:
        self._request = request
        self.image: Pixels = request.get_input_tensor(0).data
        self.outputs: Float32s = request.get_output_tensor(0).data
        self.features = _memory_of(request, position_of_features)
        self._patch_logits = _memory_of(request, position_of_maps)

    def forward(self, image: Pixels) -> NetworkOutput:
        """Return the outputs for one image, uint8 (height, width, 3)."""
        self.image[0] = image
        self._request.start_async()
        self._request.wait()
        features = None if self.features is None else self.features.copy()
        patch_logits = None if self._patch_logits is None else self._patch_logits.copy()
        return NetworkOutput(self.outputs.copy(), features, patch_logits)


def _memory_of(request: Any, position: int | None) -> Float32s | None:  # noqa: ANN401
    if position is None:
        return None
    memory: Float32s = request.get_output_tensor(position).data
    return memory


def _forget_maps(model: Any) -> None:  # noqa: ANN401
    """Remove the output of patch logits, and with it all that nothing else needs."""
    for output in model.outputs:
        if PATCH_LOGITS in output.get_names():
            model.remove_result(output.get_node())


def _with_pixels_in(model: Any, preprocessing: Preprocessing) -> Any:  # noqa: ANN401
    """Return the network with the normalisation inside, for one uint8 image."""
    from openvino import Layout, Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    images = steps.input(0)
    images.tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    images.model().set_layout(Layout("NCHW"))
    images.preprocess().convert_element_type(Type.f32).mean(
        [255 * value for value in preprocessing.mean]
    ).scale([255 * value for value in preprocessing.std])
    built = steps.build()
    built.reshape([1, preprocessing.height_px, preprocessing.width_px, 3])
    return built


def save_openvino(
    folder: Path, networks: Mapping[str, bytes], preprocessing: Preprocessing
) -> list[Path]:
    """Write networks into the bundle `folder` as OpenVINO files, pixels in, and return them.

    Args:
        folder: The bundle.
        networks: ONNX bytes by the name of their file.
        preprocessing: Size, mean and standard deviation.
    """
    import openvino

    written = []
    for name, network in networks.items():
        out = folder / "openvino" / f"{Path(name).stem}.xml"
        out.parent.mkdir(exist_ok=True)
        model = _with_pixels_in(_core().read_model(network), preprocessing)
        openvino.save_model(model, str(out), compress_to_fp16=False)
        written.append(out)
    return written


def _compiled(model: Any, dtype: Dtype, workers: int) -> Any:  # noqa: ANN401
    hint = _HINTS[dtype]
    if dtype == INT8 and has_bfloat16():
        hint = "bf16"
    settings = {
        "INFERENCE_PRECISION_HINT": hint,
        "NUM_STREAMS": workers,
        "INFERENCE_NUM_THREADS": workers,
        # Decoding shares the cores: a request tied to one would wait for it.
        "ENABLE_CPU_PINNING": False,
    }
    return _core().compile_model(model, "CPU", settings)


class OpenVino:
    """The runtime of the extra `fast`."""

    def devices(self) -> tuple[str, ...]:
        """Return the CPU where it is installed."""
        return (CPU,) if is_openvino_installed() else ()

    def computes(self, dtype: Dtype, device: str) -> bool:
        """Return whether this processor computes in `dtype` itself."""
        del device
        return dtype != BFLOAT16 or has_bfloat16()

    def open(
        self,
        network: Path | bytes,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
        with_maps: bool = False,
    ) -> PixelNetwork:
        """Compile a network; see `OpenVinoPixels`."""
        return OpenVinoPixels(
            network, preprocessing, choice=choice, workers=workers, with_maps=with_maps
        )

    def save(
        self, folder: Path, networks: Mapping[str, bytes], preprocessing: Preprocessing
    ) -> list[Path]:
        """Write networks as OpenVINO files; see `save_openvino`."""
        return save_openvino(folder, networks, preprocessing)


RUNTIME = OpenVino()
