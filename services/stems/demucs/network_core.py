"""A hybrid transformer Demucs for inference: one length, constants computed once, no waits for the device."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from demucs.hdemucs import HDecLayer, HEncLayer
from demucs.htdemucs import HTDemucs
from demucs.transformer import create_2d_sin_embedding, create_sin_embedding
from torch import nn
from torch.nn import functional

from services.stems.demucs.network_layers import Attention, Convolution, Decoder, Encoder

Tensor = torch.Tensor


class Spectrum(nn.Module):
    """The spectrogram that the network sees and its inverse, for windows of one length.

    A frame begins at each hop from one and a half hops before the window; the topmost bin is left out. Four hops
    overlap wherever the window is, so that the squared Hann windows add up to 1.5 and no envelope has to be divided by.

    Source: Griffin and Lim, IEEE Trans. ASSP 32 (1984) 236, equation 6.
    """

    def __init__(self, bins: int, frames: int) -> None:
        super().__init__()
        self.size, self.hop, self.frames = 2 * bins, bins // 2, frames
        self.count = math.ceil(frames / self.hop)
        self.margin = self.hop // 2 * 3
        window = torch.hann_window(self.size, dtype=torch.float64)
        root = math.sqrt(self.size)
        self.analysis = nn.Buffer((window / root).float())
        self.synthesis = nn.Buffer((window * root / 1.5).float())

    def forward(self, mix: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, 2 * channels, bins, hops), channels-last, real and imaginary in turn."""
        right = self.margin + self.count * self.hop - self.frames
        rows = functional.pad(mix, (self.margin, right), "reflect").unfold(-1, self.size, self.hop)
        bins = torch.view_as_real(torch.fft.rfft(rows * self.analysis)[..., :-1])
        batch, channels = mix.shape[:2]
        flat = bins.permute(0, 3, 2, 1, 4).reshape(batch, self.size // 2, self.count, 2 * channels)
        spectrum: Tensor = flat.permute(0, 3, 1, 2)
        return spectrum

    def inverse(self, bins: Tensor) -> Tensor:
        """(batch, 2 * signals, bins, hops) to (batch, signals, frames)."""
        batch, doubled, height, count = bins.shape
        parts = bins.view(batch, doubled // 2, 2, height, count).permute(0, 1, 4, 3, 2)
        full = bins.new_zeros((batch, doubled // 2, count, height + 1, 2))
        full[..., :-1, :] = parts
        rows = torch.fft.irfft(torch.view_as_complex(full)) * self.synthesis
        rows = rows.view(batch, doubled // 2, count, 4, self.hop)
        out = rows.new_zeros((batch, doubled // 2, count + 3, self.hop))
        for shift in range(4):
            out[:, :, shift : shift + count] += rows[:, :, :, shift]
        wave: Tensor = out.flatten(2)[..., self.margin : self.margin + self.frames]
        return wave


class Core(nn.Module):
    """What the network computes between the spectrogram and its inverse.

    Args:
        source: Loaded, of a kind that `suits` takes; its tensors are not shared.
        dtype: Of the transformer's products; float32 or bfloat16.
    """

    def __init__(self, source: Any, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.source_count, self.channels = len(source.sources), int(source.audio_channels)
        self.encoders = nn.ModuleList(Encoder(layer) for layer in source.encoder)
        self.encoders_t = nn.ModuleList(Encoder(layer) for layer in source.tencoder)
        self.decoders = nn.ModuleList(Decoder(layer) for layer in source.decoder)
        self.decoders_t = nn.ModuleList(Decoder(layer) for layer in source.tdecoder)
        self.ways = nn.ModuleDict()
        if source.bottom_channels:
            for name in ("channel_upsampler", "channel_upsampler_t", "channel_downsampler", "channel_downsampler_t"):
                self.ways[name] = Convolution(getattr(source, name))
        inner = source.crosstransformer
        self.norm_in, self.norm_in_t = copy.deepcopy(inner.norm_in), copy.deepcopy(inner.norm_in_t)
        self.layers = nn.ModuleList(Attention(layer, dtype) for layer in inner.layers)
        self.layers_t = nn.ModuleList(Attention(layer, dtype) for layer in inner.layers_t)
        self._keep_constants(source)
        hops = math.ceil(int(source.segment * source.samplerate) / source.hop_length)
        bins = source.nfft // 2
        inside = source.encoder[0].conv.out_channels * (bins // source.encoder[0].stride)
        # Of one window's first layer inside and of its spectra coming out, the larger; the unit of estimates.
        self.widest_bytes: int = 4 * hops * max(2 * inside, 2 * self.source_count * self.channels * bins)

    def drop_weights(self) -> None:
        """Let go of the tensors; it computes nothing from then on."""
        for part in list(self._modules):
            self._modules[part] = nn.Module()

    def _keep_constants(self, source: Any) -> None:
        frames = int(source.segment * source.samplerate)
        bands, hops, frames_t = source.nfft // 2, math.ceil(frames / source.hop_length), frames
        for layer in source.encoder:
            bands //= layer.stride
        for layer in source.tencoder:
            frames_t = math.ceil(frames_t / layer.stride)
        inner = source.crosstransformer
        flat: Any = create_2d_sin_embedding
        line: Any = create_sin_embedding
        width = inner.layers[0].linear1.in_features
        over: Tensor = flat(width, bands, hops, "cpu", inner.max_period) * inner.weight_pos_embed
        along: Tensor = line(frames_t, width, 0, "cpu", inner.max_period) * inner.weight_pos_embed
        self.place = nn.Buffer(over.permute(0, 2, 3, 1).flatten(1, 2).contiguous())
        self.place_t = nn.Buffer(along.transpose(0, 1).contiguous())
        first = torch.zeros(())
        if source.freq_emb is not None:
            rows = source.freq_emb(torch.arange(source.nfft // 2 // source.encoder[0].stride))
            first = (source.freq_emb_scale * rows.t()).detach()[None, :, :, None].contiguous()
        self.pitch = nn.Buffer(first)

    def forward(self, spectrum: Tensor, mix: Tensor) -> tuple[Tensor, Tensor]:
        """The spectra (batch, sources * channels * 2, bins, hops) and the waves (batch, sources * channels, frames)."""
        x, middle, spread = _levelled(spectrum)
        xt, middle_t, spread_t = _levelled(mix.unsqueeze(2))
        saved, saved_t, lengths_t = [], [], []
        for index, (encode, encode_t) in enumerate(zip(self.encoders, self.encoders_t, strict=True)):
            lengths_t.append(xt.shape[-1])
            x, xt = encode(x), encode_t(xt)
            x = x + self.pitch if index == 0 else x
            saved.append(x)
            saved_t.append(xt)
        x, xt = self._transformed(x, xt)
        for decode, decode_t in zip(self.decoders, self.decoders_t, strict=True):
            x = decode(x, saved.pop(), 0)
            xt = decode_t(xt, saved_t.pop(), lengths_t.pop())
        return x * spread + middle, (xt * spread_t + middle_t).squeeze(2)

    def _transformed(self, x: Tensor, xt: Tensor) -> tuple[Tensor, Tensor]:
        if self.ways:
            x, xt = self.ways["channel_upsampler"](x), self.ways["channel_upsampler_t"](xt)
        bands, hops = x.shape[2:]
        tokens: Tensor = self.norm_in(x.permute(0, 2, 3, 1).flatten(1, 2)) + self.place
        tokens_t = self.norm_in_t(xt.squeeze(2).transpose(1, 2)) + self.place_t
        for layer, layer_t in zip(self.layers, self.layers_t, strict=True):
            tokens, tokens_t = layer(tokens, tokens_t), layer_t(tokens_t, tokens)
        x = tokens.reshape(tokens.shape[0], bands, hops, -1).permute(0, 3, 1, 2)
        xt = tokens_t.transpose(1, 2).unsqueeze(2)
        if self.ways:
            x, xt = self.ways["channel_downsampler"](x), self.ways["channel_downsampler_t"](xt)
        return x, xt


def _levelled(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The windows with mean 0 and deviation 1, and what these were."""
    spread, middle = torch.std_mean(x, dim=(1, 2, 3), keepdim=True)
    return (x - middle) / (1e-5 + spread), middle, spread


def suits(module: nn.Module) -> bool:
    """Whether `Core` computes this network: the released kind does; others run as the demucs package has them."""
    known: Any = module
    if not isinstance(module, HTDemucs) or not (known.cac and known.use_train_segment and known.crosstransformer):
        return False
    inner = known.crosstransformer
    layers = [*known.encoder, *known.tencoder, *known.decoder, *known.tdecoder]
    plain = all(isinstance(layer, (HEncLayer, HDecLayer)) and _is_plain(layer) for layer in layers)
    sums = all(not getattr(layer, "sparse", True) and layer.norm_first for layer in [*inner.layers, *inner.layers_t])
    pairs = len(known.encoder) == len(known.tencoder)
    long_enough = int(known.segment * known.samplerate) > known.nfft
    return plain and sums and pairs and long_enough and inner.emb == "sin" and not inner.sin_random_shift


def _is_plain(layer: Any) -> bool:
    return bool(not layer.empty and layer.rewrite and layer.pad and not layer.norm)
