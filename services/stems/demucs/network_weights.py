"""Reads mounted weights into the networks of the demucs package."""

from __future__ import annotations

import importlib
import pickle
from fractions import Fraction
from typing import Any

import torch
from demucs.htdemucs import HTDemucs

from services.stems.demucs.mounted import CLASSES, Weights
from services.stems.domain import ModelUnusable


def load_module(weights: Weights, segment_s: float | None) -> torch.nn.Module:
    """The network as the demucs package has it, on the CPU in float32, set to evaluate.

    Args:
        weights: What is mounted.
        segment_s: Length of a window as the model's bag asks for it; None leaves the network's own. A hybrid
            transformer keeps its own when that is shorter, because its weights hold for no longer one.

    Raises:
        ModelUnusable: The weights do not fit their network.
    """
    kind = getattr(importlib.import_module(CLASSES[weights.class_name]), weights.class_name)
    try:
        module: Any = kind(*weights.args, **weights.kwargs)
        module.load_state_dict(_state(weights))
    except (AssertionError, OSError, TypeError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ModelUnusable(f"the weights in {weights.path.name} do not fit their network: {error}") from error
    if segment_s is not None and (not isinstance(module, HTDemucs) or segment_s <= module.segment):
        module.segment = segment_s
    network: torch.nn.Module = module.float().eval().requires_grad_(requires_grad=False)
    return network


def _state(weights: Weights) -> dict[str, torch.Tensor]:
    if weights.path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(weights.path)
    kinds = [getattr(importlib.import_module(module), name) for name, module in CLASSES.items()]
    with torch.serialization.safe_globals([Fraction, *kinds]):
        package = torch.load(weights.path, "cpu", weights_only=True)
    state: dict[str, torch.Tensor] = package.get("state", package)
    return state
