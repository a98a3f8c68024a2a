"""The layers of a hybrid transformer Demucs, built from a loaded one for inference alone.

Signals are (batch, channels, bands, frames) in channels-last memory; the branch over time has one band. That way both
branches share their code, normalising a band is a matter of contiguous rows, and the transformer's tokens are a view.
What the network scales after a layer (LayerScale) is folded into that layer's weights.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor
# Values of a signal from which on sums in one run are too coarse.
_LONG = 1 << 16


class Convolution(nn.Module):
    """A convolution over bands or frames with its activation, from a Conv1d, a Conv2d or their transposes."""

    def __init__(self, source: Any, *, gelu: bool = False, context: tuple[int, int] | None = None) -> None:
        super().__init__()
        flat = source.weight.dim() == 3
        weight = source.weight.detach().unsqueeze(2) if flat else source.weight.detach()
        self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
        self.bias = nn.Parameter(source.bias.detach().clone(), requires_grad=False)
        self.stride = _pair(source.stride, first=1, flat=flat)
        self.padding = context or _pair(source.padding, first=0, flat=flat)
        self.dilation = _pair(source.dilation, first=1, flat=flat)
        self.transposed = isinstance(source, (nn.ConvTranspose1d, nn.ConvTranspose2d))
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        if self.transposed:
            y = functional.conv_transpose2d(x, self.weight, self.bias, self.stride)
        else:
            y = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return functional.gelu(y) if self.gelu else y


def _pair(given: tuple[int, ...], *, first: int, flat: bool) -> tuple[int, int]:
    return (first, int(given[0])) if flat else (int(given[0]), int(given[1]))


class BandNorm(nn.Module):
    """Normalises each signal over all its values, then scales and shifts each channel."""

    def __init__(self, source: nn.GroupNorm, scale: Tensor | None = None) -> None:
        super().__init__()
        weight, bias = source.weight.detach().clone(), source.bias.detach().clone()
        if scale is not None:
            weight[: len(scale)] *= scale
            bias[: len(scale)] *= scale
        self.weight, self.bias = nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)
        self.eps = source.eps
        self.is_translated = False  # OpenVINO computes it and knows group_norm

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        if self.is_translated:
            is_long = x.shape[1] * x.shape[3] > _LONG
            return self.staged(x) if is_long else functional.group_norm(x, 1, self.weight, self.bias, self.eps)
        return self.spread(x) if x.is_cuda else self.rowwise(x)

    def rowwise(self, x: Tensor) -> Tensor:
        """The same for torch on the CPU, whose group_norm loses two digits on channels-last memory."""
        rows = x.permute(0, 2, 3, 1)
        even = functional.layer_norm(rows.flatten(1), (x[0].numel(),), eps=self.eps).view(rows.shape)
        return torch.addcmul(self.bias, even, self.weight).permute(0, 3, 1, 2)

    def staged(self, x: Tensor) -> Tensor:
        """The same for OpenVINO and long signals: it sums in one run, which loses two digits over 8 million values."""
        across = torch.full((1, x.shape[1]), 1 / x.shape[1], dtype=x.dtype, device=x.device)
        # Means over frames first; the product keeps OpenVINO from making one sum of both.
        mean = (across @ x.mean(3)).unsqueeze(3)
        apart = x - mean
        variance = (across @ (apart * apart).mean(3)).unsqueeze(3)
        gain = torch.rsqrt(variance + self.eps) * self.weight[:, None, None]
        return x * gain + (self.bias[:, None, None] - mean * gain)

    def spread(self, x: Tensor) -> Tensor:
        """The same for CUDA, where torch gives a whole signal to one thread block: one has up to 8 million values."""
        variance, mean = torch.var_mean(x, dim=(1, 2, 3), keepdim=True, correction=0)
        gain = torch.rsqrt(variance + self.eps) * self.weight[:, None, None]
        return torch.addcmul(self.bias[:, None, None] - mean * gain, x, gain)


class Residual(nn.Module):
    """The dilated convolutions beside a layer (DConv), for each band by itself."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.steps = nn.ModuleList()
        for narrow, norm, _, widen, wide_norm, _, scale in source.layers:
            step: Any = nn.Module()
            step.narrow, step.norm = Convolution(narrow), BandNorm(norm)
            step.widen, step.wide_norm = Convolution(widen), BandNorm(wide_norm, scale.scale.detach())
            self.steps.append(step)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        batch, channels, bands, frames = x.shape
        x = x.permute(0, 2, 1, 3).reshape(batch * bands, channels, 1, frames)
        step: Any
        for step in self.steps:
            hidden = functional.gelu(step.norm(step.narrow(x)))
            x = x + functional.glu(step.wide_norm(step.widen(hidden)), dim=1)
        return x.reshape(batch, bands, channels, frames).permute(0, 2, 1, 3)


class Encoder(nn.Module):
    """One layer down, of either branch."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.is_freq, self.stride = bool(source.freq), int(source.stride)
        self.down = Convolution(source.conv, gelu=True)
        self.residual = Residual(source.dconv) if source.dconv else nn.Identity()
        self.rewrite = Convolution(source.rewrite)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        if not self.is_freq:
            x = functional.pad(x, (0, -x.shape[-1] % self.stride))
        return functional.glu(self.rewrite(self.residual(self.down(x))), dim=1)


class Decoder(nn.Module):
    """One layer up, of either branch."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.is_freq, self.pad, self.is_last = bool(source.freq), int(source.pad), bool(source.last)
        self.rewrite = Convolution(source.rewrite)
        self.residual = Residual(source.dconv) if source.dconv else nn.Identity()
        self.up = Convolution(source.conv_tr)

    def forward(self, x: Tensor, skip: Tensor, frames: int) -> Tensor:
        """The layer's output."""
        y = self.up(self.residual(functional.glu(self.rewrite(x + skip), dim=1)))
        y = y[:, :, self.pad : -self.pad] if self.is_freq else y[..., self.pad : self.pad + frames]
        return y if self.is_last else functional.gelu(y)


class Product(nn.Module):
    """A linear layer whose weights can be packed for the CPU."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().to(dtype, copy=True), requires_grad=False)
        self.bias = nn.Parameter(bias.detach().to(dtype, copy=True), requires_grad=False)
        self._packed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output."""
        if self._packed is None:
            return functional.linear(x, self.weight, self.bias)
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")
        return y

    def pack(self, rows: int) -> None:
        """Lay the weights out for oneDNN and about that many rows; torch multiplies with MKL otherwise.

        MKL leaves the wide registers of AMD processors alone: 98 against 230 GFLOP/s on an EPYC with AVX-512.
        """
        if self.weight.dtype is torch.float32 and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
            self._packed = torch.ops.mkldnn._reorder_linear_weight(self.weight, rows)
            self.weight = nn.Parameter(self.weight[:0], requires_grad=False)


class Attention(nn.Module):
    """A pre-norm transformer layer: tokens attend to themselves, or to those of the other branch."""

    def __init__(self, source: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.is_cross = hasattr(source, "cross_attn")
        heads = source.cross_attn if self.is_cross else source.self_attn
        self.heads = int(heads.num_heads)
        norms = [source.norm1, source.norm2, *([source.norm3] if self.is_cross else [])]
        self.norms = nn.ModuleList(copy.deepcopy(norms))
        width = heads.embed_dim
        parts = [width, 2 * width] if self.is_cross else [3 * width]
        weights, biases = heads.in_proj_weight.detach().split(parts), heads.in_proj_bias.detach().split(parts)
        self.project = nn.ModuleList(Product(w, b, dtype) for w, b in zip(weights, biases, strict=True))
        self.out = _scaled(heads.out_proj, source.gamma_1, dtype)
        self.widen = Product(source.linear1.weight, source.linear1.bias, dtype)
        self.narrow = _scaled(source.linear2, source.gamma_2, dtype)
        self.activation = source.activation
        self.norm_out = copy.deepcopy(source.norm_out) or nn.Identity()
        self.dtype = dtype

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """The layer's output."""
        given = self.norms[0](x).to(self.dtype)
        if self.is_cross:
            query = self.project[0](given)
            key, value = self.project[1](self.norms[1](other).to(self.dtype)).chunk(2, dim=-1)
        else:
            query, key, value = self.project[0](given).chunk(3, dim=-1)
        x = x + self.out(self._attend(query, key, value)).to(x.dtype)
        hidden = self.activation(self.widen(self.norms[-1](x).to(self.dtype)))
        return self.norm_out(x + self.narrow(hidden).to(x.dtype))  # type: ignore[no-any-return]

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2) for part in (query, key, value))
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _scaled(source: Any, gamma: Any, dtype: torch.dtype) -> Product:
    scale = getattr(gamma, "scale", None)
    if scale is None:
        return Product(source.weight, source.bias, dtype)
    return Product(source.weight * scale.detach()[:, None], source.bias * scale.detach(), dtype)
