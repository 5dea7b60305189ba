"""An exported network on ONNX Runtime: what predicts, on ships without torch."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import onnxruntime as ort

from finding_nemo.core.arrays import Float32s, Pixels
from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.names.inference_names import (
    BFLOAT16,
    CPU,
    CUDA,
    PATCH_LOGITS,
    TENSORRT,
    Dtype,
    card_of,
    device_kind,
)
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.models.inference.pixel_network import (
    NetworkOutput,
    PixelNetwork,
    RuntimeChoice,
    joined,
)
from finding_nemo.models.inference.pixels_in_graph import UINT8_PIXELS, with_pixels_in

CPU_PROVIDER = "CPUExecutionProvider"
# The provider of each GPU, best first.
_GPUS = {TENSORRT: "TensorrtExecutionProvider", CUDA: "CUDAExecutionProvider"}
# A GPU wants many images at once; a core keeps one image's layers in its own cache.
GPU_BATCH = 32
# One batch computes while the next is copied; each more in a card at once takes its memory.
_BATCHES_IN_CARD = 2
_ERRORS_ONLY = 3
Provider = str | tuple[str, dict[str, int]]


class OnnxNetwork:
    """One ONNX file, loaded.

    Its only input is "images", float32 (images, 3, height, width), or "uint8_pixels", uint8
    (images, height, width, 3); its first output is float32 (images, n). It may have a second output
    "features", float32 (images, features), and a third "patch_logits", float32 (images, n, rows,
    columns). Several threads may use it at once.
    """

    def __init__(
        self,
        network: Path | bytes,
        *,
        threads: int = 0,
        providers: Sequence[Provider] = (CPU_PROVIDER,),
    ) -> None:
        """Load a network.

        Args:
            network: The file, or its bytes.
            threads: Threads inside one operation; 0 leaves the choice to ONNX Runtime.
            providers: What computes, first choice first; one with options is a pair.

        Raises:
            BundleError: If it cannot be loaded.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _ERRORS_ONLY
        source = network if isinstance(network, bytes) else str(network)
        try:
            self._session = ort.InferenceSession(source, options, providers=list(providers))
        except Exception as error:  # ONNX Runtime raises classes of its own, all unlisted
            name = "the network" if isinstance(network, bytes) else network
            raise BundleError(
                f"{name} cannot be loaded: {error}. Train or copy it again."
            ) from None
        self._shapes = {output.name: output.shape for output in self._session.get_outputs()}
        self._names = list(self._shapes)
        self._input = self._session.get_inputs()[0].name

    @property
    def providers(self) -> tuple[str, ...]:
        """What computes, first choice first; a provider that could not start is not among them."""
        return tuple(self._session.get_providers())

    @property
    def takes_pixels(self) -> bool:
        """Whether its input is uint8 pixels, with the normalisation inside."""
        return bool(self._input == UINT8_PIXELS)

    def outputs(self, images: Float32s | Pixels) -> Float32s:
        """Return the first output for a batch, float32 (images, n)."""
        return self.named_outputs(images, self._names[:1])[0]

    def named_outputs(self, images: Float32s | Pixels, names: Sequence[str]) -> list[Float32s]:
        """Return some outputs for a batch; what only the others need is not computed.

        Args:
            images: As its input is.
            names: Of the outputs.
        """
        run = ort.RunOptions()
        run.only_execute_path_to_fetches = True
        found: list[Float32s] = self._session.run(list(names), {self._input: images}, run)
        return found

    @property
    def n_features(self) -> int:
        """How many features an image has; 0 where the network does not give them."""
        return int(self._shapes["features"][-1]) if "features" in self._shapes else 0

    @property
    def has_maps(self) -> bool:
        """Whether it says what each patch says."""
        return PATCH_LOGITS in self._shapes

    def forward(self, images: Float32s | Pixels, *, with_maps: bool = False) -> NetworkOutput:
        """Return what it gives for a batch; patch logits only where they are wanted."""
        unwanted = () if with_maps else (PATCH_LOGITS,)
        names = [self._names[0]]
        names += [n for n in ("features", PATCH_LOGITS) if n in self._shapes and n not in unwanted]
        found = dict(zip(names, self.named_outputs(images, names), strict=True))
        return NetworkOutput(found[names[0]], found.get("features"), found.get(PATCH_LOGITS))


class OnnxPixels:
    """A `PixelNetwork` on ONNX Runtime."""

    def __init__(
        self,
        network: OnnxNetwork,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
        with_maps: bool = False,
    ) -> None:
        """Wrap a loaded network.

        Args:
            network: One thread an operation, as every worker has a core of its own.
            preprocessing: Mean and standard deviation of each channel.
            choice: What computes it, and why.
            workers: How many threads will use it.
            with_maps: Whether it gives patch logits, where it has them.
        """
        self._with_maps = with_maps
        self.choice = choice
        self.workers = workers
        self.n_features = network.n_features
        self.batch_size = 1 if network.providers[0] == CPU_PROVIDER else GPU_BATCH
        self._network = network
        self._preprocessing = preprocessing
        limit = workers if self.batch_size == 1 else _BATCHES_IN_CARD
        self._free = threading.Semaphore(limit)

    def forward(self, pixels: Pixels) -> NetworkOutput:
        """Return the outputs for uint8 pixels (images, height, width, 3)."""
        step = self.batch_size
        parts = [self._run(pixels[i : i + step]) for i in range(0, len(pixels), step)]
        return joined(parts)

    def _run(self, pixels: Pixels) -> NetworkOutput:
        network = self._network
        images = pixels if network.takes_pixels else normalise_pixels(pixels, self._preprocessing)
        with self._free:
            return network.forward(images, with_maps=self._with_maps)


class OnnxRuntime:
    """The runtime that is always there."""

    def devices(self) -> tuple[str, ...]:
        """Return the GPUs that this ONNX Runtime was built for, and the CPU."""
        offered = ort.get_available_providers()
        return (*(device for device, name in _GPUS.items() if name in offered), CPU)

    def computes(self, dtype: Dtype, device: str) -> bool:
        """Return whether it computes in `dtype`; an int8 network must have been made for it."""
        del device
        return dtype != BFLOAT16

    def open(
        self,
        network: Path | bytes,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
        with_maps: bool = False,
    ) -> PixelNetwork:
        """Load a network; on the CPU where a GPU that nobody asked for does not start.

        The choice then says so. A GPU takes pixels as they are, with the normalisation inside.

        Args:
            network: An ONNX file, or its bytes.
            preprocessing: What is done to pixels.
            choice: Device and dtype, and why.
            workers: How many threads will use it.
            with_maps: Whether it gives patch logits, where it has them.

        Raises:
            BundleError: If it cannot be loaded.
            SettingsError: If the GPU that was asked for does not start.
        """
        if choice.device == CPU:
            loaded = OnnxNetwork(network, threads=1)
        else:
            content = network if isinstance(network, bytes) else network.read_bytes()
            _load_cuda_libraries()
            loaded = OnnxNetwork(
                with_pixels_in(content, preprocessing), providers=_providers(choice.device)
            )
            if loaded.providers[0] == CPU_PROVIDER:
                if choice.is_device_asked:
                    raise SettingsError(_did_not_start(choice.device))
                reason = f"{choice.device} is offered but did not start"
                choice = replace(choice, device=CPU, reason=reason)
                loaded = OnnxNetwork(network, threads=1)
        return OnnxPixels(
            loaded, preprocessing, choice=choice, workers=workers, with_maps=with_maps
        )

    def save(
        self, folder: Path, networks: Mapping[str, bytes], preprocessing: Preprocessing
    ) -> list[Path]:
        """Write nothing: a bundle's networks are ONNX files as they are."""
        del folder, networks, preprocessing
        return []


def _providers(device: str) -> list[Provider]:
    """Return what computes on a GPU, first choice first; TensorRT leaves to CUDA what it cannot."""
    names = list(_GPUS.values())
    wanted = names[names.index(_GPUS[device_kind(device)]) :]
    options = {"device_id": card_of(device)}
    there = ort.get_available_providers()
    return [*((name, dict(options)) for name in wanted if name in there), CPU_PROVIDER]


def _load_cuda_libraries() -> None:
    """Load the libraries that pip has put beside ONNX Runtime; it says on stdout what it misses."""
    with redirect_stdout(io.StringIO()):
        ort.preload_dlls()


def _did_not_start(device: str) -> str:
    return (
        f"--device {device}: ONNX Runtime {ort.__version__} was built for it, but it did not "
        f"start. Look with nvidia-smi whether the card is there and its driver is recent enough. "
        f"{install_hint('gpu')} Or leave --device out: the CPU then computes."
    )


RUNTIME = OnnxRuntime()
