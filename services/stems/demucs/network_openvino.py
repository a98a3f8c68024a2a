"""Computes a network's core by OpenVINO on the CPU, where that is installed."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from typing import Any

import torch

from services.stems.demucs.network_compute import Whole, held_bytes
from services.stems.demucs.network_layers import BandNorm
from services.stems.domain import Float32


def is_installed() -> bool:
    """Whether OpenVINO is here."""
    return importlib.util.find_spec("openvino") is not None


class ByOpenVino:
    """Computes window after window in float32; the spectrogram and its inverse stay with torch.

    Args:
        whole: Its core is traced once and let go of.
        shape: Channels and frames of a window.
        threads: How many to compute with.

    Raises:
        RuntimeError: OpenVINO cannot compute it; the core is as it was.
    """

    def __init__(self, whole: Whole, shape: tuple[int, int], threads: int) -> None:
        self._whole = whole
        # OpenVINO packs the weights anew and keeps room for what is computed in between.
        self.memory_bytes = 2 * held_bytes(whole) + 12 * whole.core.widest_bytes
        self.batch_sizes: tuple[int, ...] = (1,)
        self._widest = whole.core.widest_bytes
        mix = torch.zeros(1, *shape)
        norms = [part for part in whole.core.modules() if isinstance(part, BandNorm)]
        for norm in norms:
            norm.is_translated = True
        try:
            with torch.no_grad():
                self._request = _compiled(whole.core, (whole.spectrum(mix), mix), threads).create_infer_request()
        finally:
            for norm in norms:
                norm.is_translated = False
        whole.core.drop_weights()

    def peak_bytes(self, batch: int) -> int:
        """What a batch takes beyond what is held."""
        return batch * self._widest * 5

    def __call__(self, windows: Float32) -> Float32:
        """The sources of each window."""
        with torch.inference_mode():
            mix = torch.from_numpy(windows)
            given = [self._whole.spectrum(mix).contiguous().numpy(), mix.numpy()]
            spectra, waves = (
                torch.from_numpy(part)
                for part in self._request.infer(given, share_inputs=True, share_outputs=True).to_tuple()
            )
            return self._whole.joined(spectra, waves).numpy()


def _compiled(core: torch.nn.Module, example: tuple[torch.Tensor, torch.Tensor], threads: int) -> Any:
    # Its import tells a server that it happened, unless this module cannot be found.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino
    from openvino import properties
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        # torch would rather export; OpenVINO reads both, and a trace has its layers in one piece.
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        traced = trace(core, example, check_trace=False)
    # The front end itself: openvino.convert_model reports its use, too.
    reader = FrontEndManager().load_by_framework("pytorch")
    # The reader does not hold on to its decoder.
    decoder = TorchScriptPythonDecoder(traced, example_input=example)
    model = reader.convert(reader.load(decoder))
    model.reshape({place: list(tensor.shape) for place, tensor in zip(model.inputs, example, strict=True)})
    wanted = {
        properties.hint.inference_precision: openvino.Type.f32,
        properties.hint.performance_mode: properties.hint.PerformanceMode.LATENCY,
        properties.hint.enable_cpu_pinning: False,
        properties.inference_num_threads: threads,
    }
    return openvino.Core().compile_model(model, "CPU", wanted)
