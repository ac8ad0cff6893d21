"""What workers do with a batch, with a translator that only shows what it is asked."""

from __future__ import annotations

from types import SimpleNamespace

from nmt_lstm.inference.text_options import TextOptions
from nmt_lstm.server.tasks import TASKS
from nmt_lstm.server.units import Kind, Unit

UNITS = [Unit("one", tag="<2de>"), Unit("two", prefix="zwei", tag="<2de>")]


class Translator:
    """Keeps what it is asked."""

    run = SimpleNamespace(search=SimpleNamespace(beam_size=2))

    def stream(self, lines, **options):
        self.lines, self.options = lines, options
        for line in lines:
            best = [SimpleNamespace(text=line.text.upper(), score=-1.0)] * options["n_best"]
            yield SimpleNamespace(hypotheses=best if line.text.strip() else [])

    def translate_documents(self, documents, text, tag):
        return [f"{tag}{document}" for document in documents]


def test_lines_have_prefix_and_tag_and_no_more_hypotheses_than_the_beam() -> None:
    translator = Translator()
    results = TASKS["text"](translator, Kind("a", n_best=5), UNITS, TextOptions())
    assert [(line.text, line.prefix, line.tag) for line in translator.lines] == [
        ("one", "", "<2de>"),
        ("two", "zwei", "<2de>"),
    ]
    assert translator.options["n_best"] == 2
    assert [result.texts for result in results] == [("ONE", "ONE"), ("TWO", "TWO")]
    (blank,) = TASKS["text"](translator, Kind("a"), [Unit(" ")], TextOptions())
    assert blank.texts == ()


def test_html_has_the_tag() -> None:
    results = TASKS["html"](Translator(), Kind("a", "html"), UNITS, TextOptions())
    assert [result.texts for result in results] == [("<2de>one",), ("<2de>two",)]
