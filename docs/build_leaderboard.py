"""Builds a leaderboard from output files: build_leaderboard.py BOARD SOURCE REFERENCE OUTPUT..."""

import sys
from pathlib import Path

from nmt_lstm import Leaderboard
from nmt_lstm.lab.leaderboard.html import web_page

folder, source, reference, *outputs = map(Path, sys.argv[1:])
test_set = {"source": source, "references": [reference], "source_language": "de", "target_language": "en"}
board = Leaderboard.create(folder, {"test": test_set}, title="German to English")
for output in outputs:
    board.add(output.stem, hypotheses=output, facts={"note": f"from {output.name}"})
for each in board.rows(metric="bleu", baseline=outputs[0].stem):
    mark = "=" if each.as_good_as_best else " "
    print(
        f"{each.rank:2}{mark} {each.row.system:20} {each.score.value:6.2f} [{each.score.low:.1f}, {each.score.high:.1f}]"
    )
best, second = (each.row.system for each in board.rows()[:2])
test = board.compare(best, second).comparisons["chrf"]
print(f"chrF {test.difference:+.2f}, p = {test.p_bootstrap:.3f} and {test.p_randomisation:.3f}")
(folder / "board.html").write_text(web_page(board), encoding="utf-8")
