"""Figures in the format of Prometheus."""

from __future__ import annotations

from nmt_lstm.server.metrics import Counter, Gauge, Histogram, Metrics


def test_figures_are_in_the_format_of_prometheus() -> None:
    counter = Counter("a_total", "A.", ("x",))
    counter.add(2, 'say "hi"\n')
    assert list(counter.lines()) == [
        "# HELP a_total A.",
        "# TYPE a_total counter",
        r'a_total{x="say \"hi\"\n"} 2',
    ]
    histogram = Histogram("h", "H.", (0.5, 1.0))
    for value in (0.1, 0.5, 0.7, 9.0):
        histogram.observe(value)
    assert list(histogram.lines())[2:] == [
        'h_bucket{le="0.5"} 2',
        'h_bucket{le="1"} 3',
        'h_bucket{le="+Inf"} 4',
        "h_sum 10.3",
        "h_count 4",
    ]
    assert list(Gauge("g", "G.", lambda: 1_234_567).lines())[-1] == "g 1234567.0"
    text = Metrics(lambda: (3, 40)).text()
    assert "nmt_lstm_waiting_lines 3\n" in text
    assert text.endswith("\n")
