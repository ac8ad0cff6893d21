"""The module and the data module with any Lightning Trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.model.build import build_model
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.module import TranslationModule

pytestmark = pytest.mark.filterwarnings("ignore:.*")  # a plain Trainer issues many warnings


def build(run: RunSettings) -> tuple[TranslationModule, TranslationDataModule]:
    prepared = prepare(run)
    torch.manual_seed(run.seed)
    model = build_model(run.model, prepared.subwords.source.size, prepared.subwords.target.size)
    module = TranslationModule(
        model=model,
        settings=run.training,
        search=run.search,
        subwords=prepared.subwords,
        references=prepared.valid_target,
        seed=run.seed,
    )
    return module, TranslationDataModule.of_run(run, prepared)


def make_trainer(folder: Path, **named: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        reload_dataloaders_every_n_epochs=1,
        **{"enable_checkpointing": False, "max_epochs": 2, **named},
    )


def weights(module: TranslationModule) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in module.model.parameters()])


def test_a_plain_trainer_trains_and_validates(make_small_run: Any, tmp_path: Path) -> None:
    module, data = build(make_small_run("training.ema=0.9"))
    initial = weights(module)
    trainer = make_trainer(tmp_path)
    trainer.fit(module, datamodule=data)
    assert not torch.equal(initial, weights(module))
    assert {"valid_loss", "valid_bleu", "valid_chrf", "valid_perplexity"} <= set(trainer.callback_metrics)
    assert module.total_steps == trainer.global_step
    assert module.best_metric >= float(trainer.callback_metrics["valid_bleu"])


def test_a_validation_does_not_change_training(make_small_run: Any, tmp_path: Path) -> None:
    states = []
    for name, batches in (("with", 1.0), ("without", 0.0)):
        module, data = build(make_small_run("training.ema=0.9"))
        make_trainer(tmp_path / name, limit_val_batches=batches).fit(module, datamodule=data)
        states.append(weights(module))
    assert torch.equal(*states)


def test_a_plain_trainer_resumes_within_an_epoch(make_small_run: Any, tmp_path: Path) -> None:
    run = make_small_run("training.ema=0.9")
    module, data = build(run)
    saving = ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=3, save_top_k=-1)
    make_trainer(tmp_path, enable_checkpointing=True, callbacks=[saving], limit_val_batches=0).fit(
        module, datamodule=data
    )
    resumed, data = build(run)
    make_trainer(tmp_path, limit_val_batches=0).fit(
        resumed, datamodule=data, ckpt_path=tmp_path / "step=3.ckpt", weights_only=True
    )
    assert torch.equal(weights(module), weights(resumed))


def test_a_plain_trainer_validates_without_training(make_small_run: Any, tmp_path: Path) -> None:
    module, data = build(make_small_run())
    (metrics,) = make_trainer(tmp_path).validate(module, datamodule=data, verbose=False)
    assert metrics["valid_loss"] == pytest.approx(module.last_validation.loss)
    assert len(module.last_validation.translations) == 40


def test_the_clipping_arguments_of_a_trainer_take_precedence(make_small_run: Any, tmp_path: Path) -> None:
    norms = []

    class Watch(pl.Callback):
        def on_before_zero_grad(
            self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: Any
        ) -> None:
            gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
            if gradients:
                norms.append(float(torch.nn.utils.get_total_norm(gradients)))

    module, data = build(make_small_run("training.clip_norm=1.0"))
    make_trainer(tmp_path, gradient_clip_val=0.01, max_epochs=1, callbacks=[Watch()]).fit(
        module, datamodule=data
    )
    assert norms
    assert max(norms) <= 0.0101


def test_the_learning_rate_follows_the_schedule(make_small_run: Any, tmp_path: Path) -> None:
    module, data = build(
        make_small_run("training.schedule.name=constant", "training.schedule.warmup_steps=4")
    )
    rates = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    make_trainer(tmp_path, max_epochs=1, callbacks=[Watch()]).fit(module, datamodule=data)
    assert rates[:5] == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01])
