"""Findings: learning curves over the seeds of a variant."""

from __future__ import annotations

from nmt_lstm.lab.comparison.run_result import CurvePoint
from nmt_lstm.lab.comparison.scoring import FinishedRun, compare_runs


def test_curves_are_averaged_up_to_the_last_validation_of_all_seeds(
    make_plan_of, make_runs, make_result, outputs, test_text
) -> None:
    def curve(*values: float) -> list[CurvePoint]:
        return [
            CurvePoint(step=10 * n, seconds=n + values[0], loss=1.0, bleu=value, chrf=value)
            for n, value in enumerate(values, 1)
        ]

    runs = [
        FinishedRun("gru", 1, make_result(curve=curve(1.0, 3.0, 5.0)), outputs(4, 1)),
        FinishedRun("gru", 2, make_result(curve=curve(2.0, 5.0)), outputs(4, 2)),
        *make_runs({"lstm": (3, 3)}),
    ]
    findings = compare_runs(make_plan_of("gru", "lstm"), runs, test_text)
    gru = next(each for each in findings.variants if each.name == "gru")
    assert [(point.step, point.seconds, point.bleu) for point in gru.mean_curve()] == [
        (10, 2.5, 1.5),
        (20, 3.5, 4.0),
    ]
    assert [len(points) for points in gru.curves] == [3, 2]
