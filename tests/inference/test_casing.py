"""With markers of case, lines in upper and title case are translated like their lower case, with their requests."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.config.schema import DataSettings, ModelSettings, RunSettings, SubwordSettings
from nmt_lstm.inference.requests import TranslationRequest
from nmt_lstm.inference.terms import Terms
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.model.build import build_model
from nmt_lstm.text.subwords import train_subwords

LINES = [
    ("Ein Hund läuft über die Straße", "A dog runs across the street"),
    ("Peter sieht die NASA", "Peter sees NASA"),
    ("der Hund schläft", "the dog sleeps {Name}"),
]


@pytest.fixture(scope="module", params=["unigram", "byte", "word"])
def translator(request: pytest.FixtureRequest) -> Translator:
    """A small network with random weights, whose text has markers of case."""
    size = {} if request.param == "byte" else {"vocabulary_size": 300}
    subword_settings = SubwordSettings(
        kind=request.param, casing="markers", user_defined_symbols=["{Name}"], **size
    )
    subwords = train_subwords(lambda: LINES * 20, subword_settings, 60, seed=1)
    settings = ModelSettings.model_validate(
        {"embedding_size": 12, "encoder": {"hidden_size": 16}, "decoder": {"hidden_size": 20}}
    )
    torch.manual_seed(3)
    model = build_model(settings, subwords.source.size, subwords.target.size).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    run = RunSettings(
        data=DataSettings(train_source="a", train_target="b", valid_source="a", valid_target="b"),
        subwords=subword_settings,
        model=settings,
    )
    return Translator(models=[model], subwords=subwords, run=run, device=torch.device("cpu"))


@pytest.mark.parametrize(
    ("lower", "upper", "title"),
    [
        ("ein hund läuft weg", "EIN HUND LÄUFT WEG", "Ein Hund Läuft Weg"),
        ("{Name} sieht über die nasa.", "{Name} SIEHT ÜBER DIE NASA.", "{Name} Sieht Über Die Nasa."),
    ],
)
def test_upper_and_title_case_are_translated_like_lower_case(translator, lower, upper, title) -> None:
    plain, in_upper, in_title = translator.translate([lower, upper, title])
    assert plain.source_pieces == in_upper.source_pieces == in_title.source_pieces
    assert plain.hypotheses[0].ids == in_upper.hypotheses[0].ids == in_title.hypotheses[0].ids
    assert in_upper.text.replace("{Name}", "") == plain.text.replace("{Name}", "").upper()
    assert in_upper.source == upper


def test_results_do_not_depend_on_the_batch(translator) -> None:
    lines = ["EIN HUND LÄUFT", "ein Hund", "Ein Hund Läuft Schnell", "NASA", "x"]
    together = translator.translate(lines, batch_size=5)
    assert [translator.translate([line])[0].text for line in lines] == [each.text for each in together]


@pytest.mark.parametrize("line", ["EIN HUND LÄUFT", "ein Hund läuft"])
def test_requests_are_met_in_the_case_of_the_line(translator, line) -> None:
    request = TranslationRequest(line, prefix="The Dog", require=["NASA", "street"])
    (translation,) = translator.translate([request], beam_size=4)
    assert translation.unmet == ()
    expected = ("THE DOG", "NASA", "STREET") if line.isupper() else ("The Dog", "NASA", "street")
    assert translation.text.startswith(expected[0])
    assert all(phrase in translation.text for phrase in expected)


def test_a_required_word_is_not_met_by_its_title_case(translator) -> None:
    request = TranslationRequest("ein Hund", require=["dog", "Dog"])
    (translation,) = translator.translate([request], beam_size=6)
    assert translation.unmet == ()
    assert [word for word in ("dog", "Dog") if word in translation.text] == ["dog", "Dog"]


def test_terms_are_found_in_lines_in_upper_case() -> None:
    terms = Terms([("Hund", "dog"), ("NASA", "agency")])
    assert terms.required("EIN HUND LÄUFT") == ["dog"]
    assert terms.required("ein HUND läuft zur NASA") == ["agency"]


def test_inspection_reads_what_translation_reads(translator) -> None:
    (translation,) = translator.translate(["EIN HUND"], beam_size=1)
    inspector = Inspector.of_translator(translator)
    trace = inspector.trace("EIN HUND", search=translator.run.search.model_copy(update={"beam_size": 1}))
    assert trace.target_text == translation.text
    assert len(trace.source_pieces) == len(translation.source_pieces) + 1
