"""Documents: tags stay, nested as they were, and only text is translated."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm import Hypothesis, TextOptions, Translation, TranslationRequest, Translator
from nmt_lstm.config.load import make_run
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError, NotTextError
from nmt_lstm.inference.html_translation import HtmlTranslation
from nmt_lstm.inference.text_options import TextTreatment
from nmt_lstm.text.lines import LineWarnings
from nmt_lstm.text.piece_records import byte_model
from nmt_lstm.text.subwords import Subwords, Vocabulary

DATA = dict.fromkeys(("train_source", "train_target", "valid_source", "valid_target"), "text")
VOCABULARY = Vocabulary(byte_model([]))
TREATMENT = TextTreatment(
    TextOptions(),
    make_run({"data": DATA}).data,
    Subwords(source=VOCABULARY, target=VOCABULARY, joint=True),
)


class Words:
    """In place of `LineTranslation`: translates each word to capitals, in the given order."""

    def __init__(self, *, backwards: bool = False) -> None:
        self.step = -1 if backwards else 1

    def marked(self, lines, options, treatment, warnings, check):
        return [self.translation(line.text) for _, line in lines]

    def translation(self, text: str) -> Translation:
        words = text.split()
        order = list(range(len(words)))[:: self.step]
        attention = np.zeros((len(words), len(words) + 1), dtype=np.float32)
        attention[range(len(words)), order] = 1
        pieces = tuple(f"▁{words[index].upper()}" for index in order)
        best = Hypothesis("".join(pieces).replace("▁", " ").strip(), 0.0, 0.0, pieces, (), attention)
        return Translation(text, best.text, 0.0, tuple(f"▁{word}" for word in words), (best,))


def translated(document: str, *, backwards: bool = False) -> str:
    engine = HtmlTranslation(Words(backwards=backwards))
    return engine.translate([document], None, TREATMENT, LineWarnings(), None)[0]


@pytest.mark.parametrize(
    ("document", "result", "backwards"),
    [
        ("<p>a <b>b</b> c</p>", "<p>A <b>B</b> C</p>", "<p>C <b>B</b> A</p>"),
        ("<p>a <i>b <b>c</b></i></p>", "<p>A <i>B <b>C</b></i></p>", "<p><i><b>C</b> B</i> A</p>"),
        ("a &lt; &amp;<br>\n b", "A &lt; &amp;<br>\n B", "&amp; &lt; A<br>\n B"),
        ('<a title="b">c</a> <img src="d"> e', '<a title="b">C</a> <img src="d">E', None),
        ("a <code>b</code> c", "A <code>b</code> C", "<code>b</code> C A"),
        ("<b></b>a", "<b></b>A", "<b></b>A"),
        ("a <b>b</i> c</b> d", "A <b>B</i> C</b> D", None),
        ("<p>...</p>", "<p>...</p>", "<p>...</p>"),
    ],
)  # fmt: skip
def test_tags_follow_their_words(document, result, backwards) -> None:
    assert translated(document) == result
    if backwards is not None:
        assert translated(document, backwards=True) == backwards


ELEMENTS = st.recursive(
    st.sampled_from(["ab ", "c, ", "d&amp;e ", "{x} ", "<br>", "<img src='a'>", "<code>f</code> ", "<!-- g -->", "<hr>"]),
    lambda inner: st.tuples(
        st.sampled_from(["b", "i", "a", "p", "div", "u translate='no'"]), st.lists(inner, max_size=4)
    ).map(lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0].split()[0]}> "),
    max_leaves=12,
)  # fmt: skip
TAG = re.compile(r"<[^>]*>")


def nesting(document: str) -> Counter[tuple[str, ...]]:
    """Return the path of each tag, and check that elements are nested."""
    paths: Counter[tuple[str, ...]] = Counter()
    level: list[str] = []
    for tag in TAG.findall(document):
        name = re.match(r"</?([a-z]+|!--)", tag)[1]
        if tag.startswith("</"):
            assert level.pop() == name
        paths[(*level, tag)] += 1
        if not tag.startswith("</") and name not in {"br", "hr", "img", "!--"}:
            level.append(name)
    assert not level
    return paths


@given(st.lists(ELEMENTS, max_size=5).map("".join))
@settings(max_examples=60, deadline=None)
def test_tags_of_a_nested_document_stay_as_they_are_and_nested(document) -> None:
    # In the same order of words, the tags have the same order, too.
    assert TAG.findall(translated(document)) == TAG.findall(document)
    # In a different one, every tag is inside the same elements.
    assert nesting(translated(document, backwards=True)) == nesting(document)


@given(
    st.one_of(
        st.binary().map(lambda data: data.decode("utf-8", "replace")), st.text(alphabet="<>/ab=\"' !-&;\n")
    )
)
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_document(document) -> None:
    assert Counter(TAG.findall(translated(document))) is not None


def test_a_model_translates_a_document_like_its_lines() -> None:
    translator = Translator.load(model_path("builtin:en-ja"), device="cpu")
    first, second = translator.translate(["The dog is sleeping.", "A man is running."])
    document = "<ul>\n<li>The <b>dog</b> is sleeping.\n<li>A man is running.</ul>"
    result = translator.translate_html(document)
    assert TAG.sub("", result).split() == [first.text, second.text]
    assert TAG.findall(result) == TAG.findall(document)
    assert translator.translate_html(document, batch_size=1) == result
    with pytest.raises(NotTextError):
        translator.translate_html(b"<b>")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        translator.translate_html("a", beam_size=0)


def test_sentences_of_a_block_and_what_it_keeps() -> None:
    pytest.importorskip("sentencex")
    translator = Translator.load(model_path("builtin:en-ja"), device="cpu")
    options = TextOptions(split_sentences=True, keep=["placeholders"])
    result = translator.translate_html("<p>The <b>dog</b> is sleeping. A man reads {x}.</p>", text=options)
    first, _ = translator.translate(["The dog is sleeping.", "A man reads."])
    assert TAG.sub("", result).startswith(first.text)
    assert [result.count(part) for part in ("<b>", "</b>", "{x}")] == [1, 1, 1]


def test_requests_of_blocks_and_warnings_about_them(caplog) -> None:
    translator = Translator.load(model_path("builtin:en-ja"), device="cpu")
    document = "<p>The dog is sleeping.</p>\n<p>The cat is sleeping.</p>"
    result = translator.translate_html(
        document,
        requests=lambda texts: [TranslationRequest(text, prefix="猫", avoid=["猫"]) for text in texts],
    )
    assert result.count("<p>猫") == 2
    assert [record.getMessage()[:6] for record in caplog.records] == ["line 1", "line 2"]
