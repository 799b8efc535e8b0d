"""Windows cover every pixel and their weights add up to one, for every length."""

import numpy as np
import pytest

from engine.windows import spread_over, spread_windows


@pytest.mark.parametrize(
    "settings", [(768, 64, 32), (256, 64, 32), (64, 16, 32), (96, 32, 1), (512, 100, 64), (768, 64, 256)]
)
def test_weights_add_up_to_one_for_every_length(settings):
    largest, overlap, multiple = settings
    for length in [*range(1, 5001, 1 if multiple == 32 and largest == 768 else 37), 123_457]:
        axis = spread_windows(length, largest, overlap, multiple)
        total = np.zeros(length, np.float64)
        for i, start in enumerate(axis.starts):
            weights = axis.weights(i)
            assert weights.min() >= 0 and weights.max() <= 1
            stop = min(start + axis.size, length)
            total[start:stop] += weights[: stop - start]
        assert abs(total - 1).max() < 1e-5, length


@pytest.mark.parametrize("settings", [(768, 64, 32), (256, 64, 32), (64, 16, 32)])
def test_windows_fit_the_network_cover_all_and_overlap_as_asked(settings):
    largest, overlap, multiple = settings
    for length in [*range(1, 4000, 3), 50_000]:
        axis = spread_windows(length, largest, overlap, multiple)
        assert axis.size % multiple == 0 and axis.size <= largest
        assert axis.starts[0] == 0 and axis.starts[-1] + axis.size >= length
        if len(axis.starts) > 1:
            shared = axis.size - np.diff(axis.starts)
            assert shared.min() >= overlap and axis.starts[-1] + axis.size == length
            assert np.diff(axis.starts).min() > 0
        assert axis.finished[-1] == length and len(axis.finished) == len(axis.starts)


def test_no_more_pixels_than_needed():
    for length in range(769, 6000, 13):
        axis = spread_windows(length, 768, 64, 32)
        predicted = len(axis.starts) * axis.size
        for count in range(len(axis.starts) - 1, 0, -1):  # fewer windows do not reach, or take more pixels
            size = -(-(length + (count - 1) * 64) // (count * 32)) * 32
            assert size > 768 or count * size >= predicted, length
        assert predicted < 1.25 * length + 512


@pytest.mark.parametrize("multiple", [32, 64, 256, 500])
@pytest.mark.parametrize("largest", [768, 512, 384])
def test_windows_of_the_shape_that_suits_hold_no_more_pixels_than_the_largest(largest, multiple):
    random = np.random.default_rng(0)
    for height, width in [(1, 1), (1, 45_000), (10_980, 10_980), *random.integers(1, 12_000, (60, 2)).tolist()]:
        rows, columns = spread_over(height, width, largest, 32, multiple)
        assert (rows.length, columns.length) == (height, width)
        largest = max(largest, multiple)
        assert rows.size * columns.size <= largest**2
        assert rows.size <= largest and columns.size <= largest * 1.5
        assert rows.size % multiple == columns.size % multiple == 0
        squares = [spread_windows(length, largest, 32, multiple) for length in (height, width)]
        if all(axis.size % multiple == 0 for axis in squares):
            needed = [len(axis.starts) * axis.size for axis in (rows, columns)]
            assert np.prod(needed) <= np.prod([len(axis.starts) * axis.size for axis in squares])


def test_a_shape_that_suits_spares_pixels():
    rows, columns = spread_over(4000, 3000, 768, 32, 32)
    assert (rows.size, columns.size) == (480, 1024)


def test_a_network_of_large_steps_gets_windows_of_one_step():
    rows, columns = spread_over(5000, 1500, 768, 32, 1024)
    assert (rows.size, columns.size) == (1024, 1024)
