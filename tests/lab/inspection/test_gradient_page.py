"""The table, the page and the picture of gradient flow."""

from __future__ import annotations

import re

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.gradient_page import gradient_page, gradient_picture, gradient_table
from nmt_lstm.lab.inspection.gradient_trace import CellFlow, GradientTrace
from nmt_lstm.model.cell_locations import CellLocation
from nmt_lstm.model.gradient_flow import Flow


def trace(model: str, *factors: float, lengths: tuple[int, ...] = (5, 20)) -> GradientTrace:
    """A model of as many encoder layers as there are factors, by which norms change after training; before, by 0.5."""
    flows = []
    for length in lengths:
        for layer, factor in enumerate(factors, start=1):
            location = CellLocation("encoder", layer, "forward", None)
            before, after = (
                Flow(location, tuple(each**lag for lag in range(length))) for each in (0.5, factor)
            )
            flows.append(CellFlow("gru", length, before, after))
    return GradientTrace(model, ("eins",), ("one",), 1, tuple(flows))


def test_the_table_has_a_row_for_each_cell_and_length() -> None:
    lines = gradient_table([trace("runs/a", 0.8), trace("runs/b", 1.3)]).text().splitlines()
    assert len(lines) == 5
    assert re.search(r"runs/a .* 20 .* 4 \(×0.50\) .* 11 \(×0.80\)", lines[2])
    assert re.search(r"runs/b .* ≥ 19 \(explodes, ×146\)", lines[4])


def test_the_page_says_what_it_shows() -> None:
    page = gradient_page([trace("runs/a", 0.8, 0.5), trace("runs/<b>", 0.9)], command="nmt-lstm inspect")
    assert "reach farthest back in runs/&lt;b&gt;" in page
    assert "4 to 11 in runs/a" in page
    assert "runs/a 4 → 11; runs/&lt;b&gt; 4 → ≥ 19" in page
    assert page.count("<svg") == 4
    assert page.count("Encoder, layer 2, forward") == 1
    assert "<b>" not in page


def test_one_model_is_compared_with_itself_before_training() -> None:
    page = gradient_page([trace("runs/a", 0.8)])
    assert "gradients fall below a tenth after 11 positions. Before training, they" in page


def test_an_explosion_is_named() -> None:
    page = gradient_page([trace("runs/a", 0.8), trace("runs/b", 1.3)])
    assert "Gradients explode after training in runs/b." in page


def test_charts_of_all_cells_and_moments_share_their_scales() -> None:
    picture = gradient_picture([trace("runs/a", 0.8, 0.01)])
    marks = re.findall(r">(10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)<", picture)
    assert len(marks) == 4 * len(set(marks))


def test_what_has_vanished_or_is_no_number_is_drawn_at_the_edge() -> None:
    picture = gradient_picture([trace("runs/a", 1e-30, float("nan"), lengths=(20,))])
    assert "nan" not in picture
    assert "inf" not in picture


@pytest.mark.parametrize("norms", [(0.0, 0.0, 0.0)])
def test_where_no_error_arrives_the_table_says_so(norms) -> None:
    location = CellLocation("encoder", 1, "forward", None)
    flow = CellFlow("gru", 3, Flow(location, norms), Flow(location, norms))
    empty = GradientTrace("runs/a", ("eins",), ("one",), 1, (flow,))
    assert "no error arrives" in gradient_table([empty]).text()
    assert "no error arrives" in gradient_page([empty])


def test_a_notebook_shows_the_page_and_a_picture_is_an_svg() -> None:
    alone = trace("runs/a", 0.8)
    assert "srcdoc=" in alone._repr_html_()
    assert "Gradient flow through time" in alone._repr_html_()
    assert alone.to_svg() == gradient_picture([alone])


def test_a_picture_shows_the_chosen_layers_on_the_scales_of_all() -> None:
    traces = [trace("runs/a", 0.8, 0.5, 0.01)]
    picture = gradient_picture(traces, ["encoder.2", "encoder.3.forward"])
    titles = re.findall(r">(encoder, layer \d, \w+, \w+ training)<", picture)
    assert traces[0].to_svg(["encoder.2", "encoder.3.forward"]) == picture
    assert titles == [
        f"encoder, layer {layer}, forward, {when} training"
        for layer in (2, 3)
        for when in ("before", "after")
    ]
    with pytest.raises(ConfigurationError, match=r"encoder\.1\.forward"):
        gradient_picture(traces, ["encoder.9"])
