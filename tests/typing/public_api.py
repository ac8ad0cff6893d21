"""The public API as a typed program uses it; checked by ``mypy --strict``, never run.

`assert_type` says what a checker must infer. Each ignored mistake must be one: strict mode refuses an ignore that
hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, assert_type

import pytorch_lightning as lightning
import torch
from torch import Tensor

from nmt_lstm import (
    ATTENTIONS,
    CELLS,
    ENCODERS,
    GRU,
    LSTM,
    RNN,
    Attended,
    Attention,
    Batch,
    Cell,
    CellWrapper,
    Classification,
    Encoded,
    Encoder,
    Forecaster,
    GatedCell,
    GateRecord,
    GradientTrace,
    Hypothesis,
    Leaderboard,
    Linear,
    LinearCell,
    Memory,
    ModelFolder,
    NmtLstmError,
    PluginError,
    Products,
    Recurrence,
    RecurrentEncoder,
    RunSettings,
    ScoredTranslation,
    SearchSettings,
    Seq2Seq,
    State,
    Step,
    StepwiseCell,
    TextClassifier,
    TextOptions,
    Trace,
    Translation,
    TranslationDataModule,
    TranslationModule,
    TranslationRequest,
    Translator,
    Unmet,
    Update,
    __version__,
    batched_product,
    build_model,
    builtin_corpus_folder,
    check_sequence,
    collate,
    corpus_scores,
    fit,
    inspect,
    inspect_gradients,
    linear,
    linear_recurrence,
    load_run,
    masked_softmax,
    prepare,
    read_lines,
    record_gates,
    save_model,
    sequence_linear,
    sigmoid,
    source_batch,
    token_mean,
    with_parameters,
    write_exported,
)

assert_type(__version__, str)


def translating(folder: Path) -> None:
    translator = Translator.load(folder, device="cpu", precision="float32")
    assert_type(translator, Translator)
    Translator.load([folder, "other"])
    translations = translator.translate(["Ein Hund.", "Zwei Kinder."], beam_size=5, n_best=2)
    assert_type(translations, list[Translation])
    best = translations[0]
    assert_type(best.text, str)
    assert_type(best.score, float)
    assert_type(best.pieces, tuple[str, ...])
    assert_type(best.alignment, tuple[tuple[int, int], ...])
    assert_type(best.hypotheses, tuple[Hypothesis, ...])
    assert_type(translator.stream(iter(["Ein Hund."]), window=1), Iterator[Translation])
    request = TranslationRequest("Ein Hund.", prefix="A", require=["dog"], avoid=["cat"])
    search = SearchSettings(method="sampling", top_p=0.9)
    assert_type(translator.translate([request, "Zwei Kinder."], search=search)[0].unmet, tuple[Unmet, ...])
    options = TextOptions(keep=["urls"], keep_patterns=[r"#\d+"], split_sentences=True)
    assert_type(translator.translate(["Ein Hund."], text=options), list[Translation])
    assert_type(best.word_alignment, tuple[tuple[int, int], ...])
    scored = translator.score(["Ein Hund."], ["A dog."])
    assert_type(scored, list[ScoredTranslation])
    assert_type(scored[0].piece_log_probabilities, tuple[float, ...])
    classifier = TextClassifier.load("runs/sentiment")
    assert_type(classifier.classify(["A dull film."]), list[Classification])
    assert_type(classifier.labels, tuple[str, ...])
    forecaster = Forecaster.load("runs/series")
    assert_type(forecaster.forecast([[1.0, 2], {"load": 1.0}]), list[dict[str, float]])


def mistakes_that_a_checker_finds(translator: Translator, translation: Translation) -> None:
    translator.translate(["Ein Hund."], beam_size="5")  # type: ignore[arg-type]
    translator.translate(["Ein Hund."], beamsize=5)  # type: ignore[call-arg]
    translator.translate([b"Ein Hund."])  # type: ignore[list-item]
    translation.text = "A dog."  # type: ignore[misc]
    Translator.load(3)  # type: ignore[arg-type]
    load_run()  # type: ignore[call-arg]


@CELLS.register("mgu")
class MinimalGatedUnit(GatedCell):
    """A gated cell as in the readme, typed."""

    gates = ("forget", "candidate")
    state = ("hidden",)

    def __init__(self, input_size: int, hidden_size: int, *, leak: float = 0.0) -> None:
        super().__init__(input_size, hidden_size)
        self.leak = leak

    def update(self, x: Any, h: Any, state: State) -> State:
        (hidden,) = state
        forget = torch.sigmoid(x.forget + h.forget) + self.leak
        candidate = torch.tanh(x.candidate + forget * h.candidate)
        return (hidden + forget * (candidate - hidden),)


@CELLS.register("accumulator")
class Accumulator(Cell):
    """A cell with a step of its own."""

    @property
    def state_sizes(self) -> Mapping[str, int]:
        return {"sum": self.hidden_size}

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        total = state[0] + inputs[:, : self.hidden_size]
        return total, (total,)


@CELLS.register("min_gru")
class MinimalGRU(LinearCell):
    """A cell whose gates do not look back."""

    gates = ("update", "candidate")

    def coefficients(self, x: Any) -> tuple[Tensor, Tensor]:
        update = torch.sigmoid(x.update)
        return 1.0 - update, update * x.candidate


@CELLS.register("reset_first")
class ResetFirst(StepwiseCell):
    """A cell with a second product in each step."""

    gates = ("reset", "candidate")
    products = (("gate", 1), ("candidate", 1))

    def advance(self, x: Any, products: Products, state: State) -> State:
        (hidden,) = state
        reset = torch.sigmoid(x.reset + products["gate"](hidden)[0])
        return (torch.tanh(x.candidate + products["candidate"](reset * hidden)[0]),)


@CELLS.register("damped")
class Damped(CellWrapper):
    """A wrapper of any cell."""

    def __init__(self, input_size: int, hidden_size: int, *, cell: str = "lstm") -> None:
        super().__init__(CELLS.build(cell, input_size, hidden_size))

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        if not isinstance(self.cell, GatedCell):
            return with_parameters(self.cell, {}, lambda: self.cell.step(inputs, state))

        def around(update: Update) -> Update:
            assert_type(update, Update)
            return update

        recurrence = self.cell.recurrence(around)
        assert_type(recurrence, Recurrence)
        return self.cell.step_by(recurrence, inputs, state)


@ENCODERS.register("shifted")
class Shifted(Encoder):
    def __init__(
        self, input_size: int, dropout: torch.nn.Module | None = None, *, shift: float = 1.0
    ) -> None:
        super().__init__(input_size, dropout)
        self.shift = shift

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        states = embedded + self.shift
        return Encoded(states, is_token, token_mean(states, is_token))


def encoding(embedded: Tensor, is_token: Tensor) -> None:
    encoder = RecurrentEncoder(8, layers=2, directions="first")
    encoded = encoder.forward(embedded, is_token)
    assert_type(encoded.states, Tensor)
    assert_type(encoder.output_size, int)
    assert_type(ENCODERS.names(), list[str])


@ATTENTIONS.register("last")
class LastState(Attention):
    """An attention with a forward of its own."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size)

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        return Memory(self.key(source_states), source_states, source_is_token)

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        scores = batched_product(query, memory.keys.transpose(1, 2))
        weights = masked_softmax(scores, memory.is_token)
        assert_type(weights, Tensor)
        return Attended(batched_product(weights, memory.values), weights, state)


def cells() -> None:
    # The decorator gives back the class as it was.
    cell = MinimalGatedUnit(4, 8, leak=0.1)
    assert_type(cell.leak, float)
    inputs = torch.zeros(2, 5, 4)
    check_sequence(cell, inputs)
    state = cell.initial_state(2)
    assert_type(state, tuple[Tensor, ...])
    assert_type(cell.step(inputs[:, 0], state), tuple[Tensor, tuple[Tensor, ...]])
    record = record_gates(cell, inputs)
    assert_type(record, GateRecord)
    assert_type(record.gates, dict[str, Tensor])
    assert_type(CELLS.names(), list[str])
    assert_type([entry.origin for entry in ATTENTIONS.entries()], list[str])


def stock_cells() -> None:
    for part in (LSTM, GRU, RNN):
        assert_type(part(4, 8).state_sizes, dict[str, int])
    try:
        CELLS.get("lsmt")
    except PluginError as problem:
        assert_type(problem.exit_status, int)


def products(rows: Tensor, weight: Tensor, sequence: Tensor) -> None:
    assert_type(linear(rows, weight), Tensor)
    assert_type(sequence_linear(sequence, weight, None), Tensor)
    assert_type(linear_recurrence(sequence, sequence, sequence[0]), Tensor)
    assert_type(sigmoid(rows), Tensor)


def batches() -> None:
    batch = collate([[5, 6]], [[7]])
    assert_type(batch, Batch)
    assert_type(batch.target_inputs, Tensor)
    assert_type(source_batch([[5, 6]]).pieces, Tensor)


def built_in_corpus() -> None:
    lines = list(read_lines(builtin_corpus_folder() / "test.ja"))
    assert_type(lines, list[str])
    assert_type([score.value for score in corpus_scores(lines, lines, metrics=("bleu",))], list[float])


def exporting(path: Path) -> None:
    folder = ModelFolder.read(path)
    assert_type(folder.load_model(), Seq2Seq)
    write_exported("runs/small", folder, "int8")


def training(path: Path) -> None:
    run = load_run(path, ["model.decoder.cell=gru"])
    assert_type(run, RunSettings)
    assert_type(run.model.encoder.cell, str)
    assert_type(run.training.optimizer.learning_rate, float)
    result = fit(run, Path("runs/de-en"), resume=False)
    assert_type(result.metrics, dict[str, float])


def training_with_a_trainer_of_ones_own(path: Path) -> None:
    run = load_run(path)
    prepared = prepare(run)
    model = build_model(run.model, prepared.subwords.source.size, prepared.subwords.target.size)
    assert_type(model, Seq2Seq)
    module = TranslationModule(
        model=model,
        settings=run.training,
        search=run.search,
        subwords=prepared.subwords,
        references=prepared.valid_target,
    )
    data = TranslationDataModule.of_run(run, prepared)
    assert_type(data, TranslationDataModule)
    trainer = lightning.Trainer(max_epochs=1, use_distributed_sampler=False)
    trainer.fit(module, datamodule=data)
    assert isinstance(module.model, Seq2Seq)  # other tasks train other networks
    assert_type(module.model.parameter_counts(), dict[str, int])
    assert_type(TranslationModule.of_run(run, prepared), TranslationModule)
    save_model("runs/own", module, run)
    state = module.model.start(module.model.encode(next(iter(data.train_dataloader())).source))
    assert_type(module.model.step(torch.tensor([2]), state), Step)


def ranking(folder: Path) -> None:
    board = Leaderboard(folder)
    assert_type([row.system for row in board.add("ours", model="runs/de-en")], list[str])


def looking_inside() -> None:
    trace = inspect("builtin:en-ja", "The dog is sleeping .")
    assert_type(trace, Trace)
    assert_type(trace.alignment, list[tuple[int, int]])
    assert_type(trace.layers[0].record.gates, dict[str, Tensor])
    flows = inspect_gradients("builtin:en-ja", ["The dog is sleeping ."], lengths=[10])
    assert_type(flows, GradientTrace)
    assert_type(flows.flows[0].after.horizon, int | None)
    assert_type(flows.flows[0].after.norms, tuple[float, ...])


def errors(path: Path) -> int:
    try:
        load_run(path)
    except NmtLstmError as problem:
        return problem.exit_status
    return 0
