"""An exported network on ONNX Runtime: what predicts, on ships without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import BundleError

CPU_PROVIDER = "CPUExecutionProvider"
_ERRORS_ONLY = 3


class OnnxNetwork:
    """One ONNX file, loaded.

    Its only input is "images", float32 (images, 3, height, width); its first output is
    float32 (images, n). It may have a second output "features", float32 (images, features).
    Several threads may use it at once.
    """

    def __init__(
        self,
        network: Path | bytes,
        *,
        threads: int = 0,
        providers: Sequence[str] = (CPU_PROVIDER,),
    ) -> None:
        """Load a network.

        Args:
            network: The file, or its bytes.
            threads: Threads inside one operation; 0 leaves the choice to ONNX Runtime.
            providers: What computes, first choice first.

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

    @property
    def providers(self) -> tuple[str, ...]:
        """What computes, first choice first; a provider that could not start is not among them."""
        return tuple(self._session.get_providers())

    def outputs(self, images: Float32s) -> Float32s:
        """Return the first output for a batch, float32 (images, n)."""
        result: Float32s = self._session.run(None, {"images": images})[0]
        return result

    @property
    def n_features(self) -> int:
        """How many features an image has; 0 where the network does not give them."""
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        return int(shapes["features"][-1]) if "features" in shapes else 0

    def outputs_and_features(self, images: Float32s) -> tuple[Float32s, Float32s | None]:
        """Return the first output and the features, if it gives any, for a batch."""
        if not self.n_features:
            return self.outputs(images), None
        first = self._session.get_outputs()[0].name
        outputs, features = self._session.run([first, "features"], {"images": images})
        return outputs, features
