"""``nmt-lstm doctor``: versions, devices, speeds of each precision, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
import textwrap

from nmt_lstm.cli.messages import count_of, say
from nmt_lstm.extras import install_command
from nmt_lstm.numerics.threads import usable_cores
from nmt_lstm.plain_text import columns

__all__ = ["doctor"]

EXAMPLE = """\b
Example:
  nmt-lstm doctor"""

REQUIRED = (
    "torch",
    "pytorch-lightning",
    "sentencepiece",
    "sacrebleu",
    "safetensors",
    "numpy",
    "pydantic",
    "typer",
    "rich",
)
# Each with the extra that installs it, and what it is for.
OPTIONAL = (
    ("tensorboard", "tensorboard", "tensorboard", "TensorBoard logs"),
    ("MeCab", "mecab-python3", "ja", "BLEU on Japanese words (ja-mecab)"),
    ("onnxruntime", "onnxruntime", "onnx", "ONNX graphs"),
    ("onnxscript", "onnxscript", "onnx", "making ONNX graphs"),
    ("matplotlib", "matplotlib", "plot", "figures and PNG files of inspect"),
    ("backports.zstd", "backports.zstd", "zstd", ".zst files"),
)


# What is left of 80 columns beside the names of a section's rows.
ROOM = 66


def doctor() -> None:
    """Show versions, devices, the speed of each precision, and what is missing."""
    problems: list[str] = []
    sections = (
        ("Versions", versions(problems)),
        ("Optional", optional()),
        ("Devices", devices()),
        ("Processor", processor()),
        ("Plugins", plugins(problems)),
    )
    for heading, rows in sections:
        say(f"{heading}\n{columns(rows, indent='  ')}\n")
    if problems:
        say("\n".join(["Problems", *(f"  {problem}" for problem in problems)]))
    else:
        say("Everything that is needed is there. Try 'nmt-lstm quickstart'.")


def version(distribution: str) -> str:
    """Return the installed version, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def versions(problems: list[str]) -> list[tuple[str, str]]:
    """Return the versions of Python, this package and what it needs."""
    from nmt_lstm import __version__

    rows = [
        ("nmt-lstm", __version__),
        ("python", f"{platform.python_version()} on {platform.platform(terse=True)}"),
    ]
    for name in REQUIRED:
        rows.append((name, version(name) or "missing"))
        if not version(name):
            problems.append(f"{name} is missing: pip install {name}")
    return rows


def optional() -> list[tuple[str, str]]:
    """Return the optional packages, each with what it is for where it is missing."""
    rows = []
    for module, distribution, extra, purpose in OPTIONAL:
        if module == "backports.zstd" and sys.version_info >= (3, 14):
            rows.append((distribution, "not needed, Python has it"))
        elif _is_installed(module):
            rows.append((distribution, version(distribution)))
        else:
            rows.append((distribution, f"for {purpose}; not installed: {install_command(extra)}"))
    return rows


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that the module would be in
        return False


def devices() -> list[tuple[str, str]]:
    """Return processor and GPUs, with the precision that "auto" chooses on each."""
    if importlib.util.find_spec("torch") is None:
        return [("none", "torch is missing")]
    import torch

    from nmt_lstm.numerics.precision import resolve_precision

    cpu = torch.device("cpu")
    threads = f"{count_of(usable_cores(), 'processor')}, {count_of(torch.get_num_threads(), 'thread')} used"
    rows = [("cpu", f"{threads}, precision {resolve_precision('auto', cpu)}")]
    if not torch.cuda.is_available():
        reason = (
            "this torch was built without CUDA" if torch.version.cuda is None else "no device or driver found"
        )
        rows.append(("gpu", f"none ({reason}); training runs on the processor"))
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        chosen = resolve_precision("auto", torch.device("cuda", index))
        rows.append(
            (
                f"cuda:{index}",
                f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, precision {chosen}",
            )
        )
    return rows


def processor() -> list[tuple[str, str]]:
    """Return the processor, how fast it is in each precision, and what "auto" makes of that."""
    if importlib.util.find_spec("torch") is None:
        return [("none", "torch is missing")]
    from nmt_lstm.numerics.processor import instruction_limit, instructions, processor_name
    from nmt_lstm.numerics.speeds import PRODUCT, measured_speeds

    speeds = measured_speeds()
    limit = instruction_limit()
    multiplied = " x ".join(str(size) for size in PRODUCT)
    rows = [
        ("model", processor_name()),
        ("instructions", ", ".join(instructions()) or "none of AVX2, AVX512, VNNI, BF16 and AMX"),
        *([("limit", limit)] if limit else []),
        ("float32", f"{speeds.float32 / 1e9:.0f} GFLOP/s ({multiplied}, one thread)"),
        ("bf16", "does not work here" if speeds.bf16 is None else times_as_fast(speeds.bf16)),
        ("int8", times_as_fast(speeds.int8)),
        ("training", f"auto is {auto_in_training()}"),
        ("translation", "auto is float32: the same lines at any batch size"),
    ]
    return [(name, textwrap.shorten(text, ROOM, placeholder=" ...")) for name, text in rows]


def times_as_fast(ratio: float) -> str:
    """Return a speed in words."""
    return f"{ratio:.1f} times the speed of float32: {'fast' if ratio > 1 else 'slow'}"


def auto_in_training() -> str:
    """Return the precision that "auto" chooses on the processor, and why."""
    from nmt_lstm.numerics.precision import has_fast_bf16
    from nmt_lstm.numerics.processor import bf16_instructions, instruction_limit, instructions

    usable = " and ".join(bf16_instructions())
    if has_fast_bf16("cpu"):
        return f"bf16: {usable}"
    if usable:
        return f"float32: bf16 fails in this PyTorch in spite of {usable}"
    if {"BF16", "AMX"} & set(instructions()):
        return f"float32: {instruction_limit()}"
    return "float32: neither BF16 nor AMX"


def plugins(problems: list[str]) -> list[tuple[str, str]]:
    """Load every cell and attention and report those that fail."""
    from nmt_lstm.errors import PluginError
    from nmt_lstm.registry import ATTENTIONS, CELLS

    rows = []
    for kind, registry in (("cells", CELLS), ("attentions", ATTENTIONS)):
        rows.append((kind, ", ".join(registry.names()) or "none"))
        if not registry.names():
            problems.append(f"no {kind} are registered: is nmt-lstm installed (pip install .)?")
        for name in registry.names():
            try:
                registry.get(name)
            except PluginError as problem:
                problems.append(str(problem))
    return rows
