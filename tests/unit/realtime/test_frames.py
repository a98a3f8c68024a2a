import numpy as np

from services.realtime.ws.frames import HEADER, Coding, Header, Kind, Mirror, apply


def test_a_header_has_forty_bytes_in_the_documented_order() -> None:
    header = Header(Kind.SLICE, Coding.FLOAT16_DELTA, 7, 2, 480_000, 17_280, 9, 1_500)

    assert HEADER.size == 40
    assert header.packed().hex() == ("545750310203020007000000000000000200000000530700804300000900000000000000dc050000")


def test_a_client_holds_what_the_mirror_believes_bit_for_bit_after_a_thousand_slices() -> None:
    generator = np.random.default_rng(3)
    mirror, client, codings = Mirror(96_000), np.full((96_000, 2), np.nan, np.float32), set()

    for _ in range(1_000):
        start = int(generator.integers(0, 96_000 - 2_000))
        samples = generator.uniform(-1.3, 1.3, (2_000, 2)).astype(np.float32) * np.float32(generator.uniform(0, 1))
        encoded = mirror.encode(start, samples)
        assert encoded is not None
        coding, payload = encoded
        codings.add(coding)
        apply(client, Header(Kind.SLICE, coding, 1, 1, start, 2_000, 0, 0), payload)
        np.testing.assert_allclose(client[start : start + 2_000], samples, atol=2e-3)

    known = mirror._is_known
    assert codings == set(Coding)
    assert np.array_equal(client[known], mirror._held[known])


def test_what_the_client_holds_already_is_not_sent_again() -> None:
    mirror, samples = Mirror(9_600), np.full((9_600, 2), 0.25, np.float32)
    mirror.encode(0, samples)

    assert mirror.encode(100, samples[100:200]) is None


def test_after_a_loss_the_next_frame_of_a_region_is_absolute() -> None:
    mirror, samples = Mirror(9_600), np.full((9_600, 2), 0.25, np.float32)
    mirror.encode(0, samples)
    mirror.forget()

    encoded = mirror.encode(0, samples[:50])

    assert encoded is not None
    assert encoded[0] is Coding.INT16_KEYFRAME


def test_audio_above_full_scale_travels_as_floats() -> None:
    encoded = Mirror(9_600).encode(0, np.full((10, 2), 1.5, np.float32))

    assert encoded is not None
    assert encoded[0] is Coding.FLOAT16_KEYFRAME
