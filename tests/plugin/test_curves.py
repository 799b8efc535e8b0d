"""Curves: what is kept, what the axes show, and what a card may hold."""

import pytest


@pytest.fixture
def curves():
    from hazard_mapper.hazard_plugin import curves

    return curves


def test_losses_and_scores_are_told_apart_and_the_rate_is_not_drawn(curves):
    found = curves.Curves()
    found.add(1, {"loss": 0.7, "learning_rate": 0.002})
    found.add(2, {"validation_loss": 0.8, "validation_iou": 0.3, "validation_balanced_accuracy": 0.6})
    assert found.losses() == ["loss", "validation_loss"]
    assert found.scores() == ["validation_iou", "validation_balanced_accuracy"]


def test_what_is_not_finite_is_left_out(curves):
    found = curves.Curves()
    found.add(1, {"loss": float("nan")})
    found.add(2, {"loss": float("inf")})
    assert found.names == [] and found.last_step() == 0


def test_a_step_told_again_replaces_what_followed_it(curves):
    found = curves.Curves()
    for step in range(5):
        found.add(step, {"loss": float(step)})
    found.add(2, {"loss": 9.0})
    assert found.points("loss") == [(0, 0), (1, 1), (2, 9)]


def test_a_run_of_days_keeps_few_points_and_its_course(curves):
    found = curves.Curves()
    for step in range(100_000):
        found.add(step, {"loss": 1.0 - step / 100_000})
    points = found.points("loss")
    assert len(points) <= curves.KEPT_POINTS and points[-1] == (99_999, pytest.approx(1e-5))
    assert [step for step, _ in points] == sorted(step for step, _ in points)
    for step, value in points:
        assert value == pytest.approx(1.0 - step / 100_000, abs=0.01)


def test_one_burst_does_not_flatten_the_axis_but_validation_always_fits(curves):
    found = curves.Curves()
    for step in range(100):
        found.add(step, {"loss": 50.0 if step == 40 else 0.5})
    assert found.top_of_losses() == 0.5
    found.add(100, {"validation_loss": 3.0})
    assert found.top_of_losses() == 3.0


@pytest.mark.parametrize(
    ("low", "high", "wanted", "expected"),
    [
        (0, 1, 4, [0, 0.5, 1]),
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 12_000, 3, [0, 5000, 10_000]),
        (0, 0.06, 3, [0, 0.02, 0.04, 0.06]),
        (0, 0, 3, [0]),
    ],
)
def test_ticks_are_round_numbers(curves, low, high, wanted, expected):
    assert curves.ticks(low, high, wanted) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(0.83, 1), (1.02, 1.5), (0, 0.01), (3.1, 4), (0.041, 0.05)])
def test_an_axis_ends_at_a_round_number(curves, value, expected):
    assert curves.round_up(value) == pytest.approx(expected)


def test_a_table_holds_every_step_once(curves):
    found = curves.Curves()
    found.add(1, {"loss": 0.5})
    found.add(2, {"loss": 0.25, "validation_iou": 0.75})
    assert found.as_table() == "step\tloss\tvalidation_iou\n1\t0.5\t\n2\t0.25\t0.75\n"


@pytest.mark.parametrize("stored", [None, 3, "x", [1], {"loss": 3}, {"loss": [[1]]}, {"loss": [["a", 1], [1, None]]}])
def test_a_card_without_curves_has_none(curves, stored):
    assert curves.read_curves(stored).names == []


def test_a_cards_curves_are_read(curves):
    assert curves.read_curves({"loss": [[1, 0.5], [2, 0.25]]}).points("loss") == [(1, 0.5), (2, 0.25)]
