"""``nmt-lstm doctor``: versions, devices, the speed of each number format, and missing packages."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
import textwrap

from nmt_lstm.cli.messages import say
from nmt_lstm.extras import install_command
from nmt_lstm.numerics.threads import usable_cores
from nmt_lstm.plain_text import columns, count_of

__all__ = ["doctor"]

EPILOG = """\b
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
# Module, distribution, the extra that installs it, and its purpose.
OPTIONAL = (
    ("tensorboard", "tensorboard", "tensorboard", "TensorBoard logs"),
    ("MeCab", "mecab-python3", "ja", "BLEU on Japanese words (ja-mecab)"),
    ("onnxruntime", "onnxruntime", "onnx", "running ONNX graphs"),
    ("onnxscript", "onnxscript", "onnx", "exporting ONNX graphs"),
    ("matplotlib", "matplotlib", "plot", "figures and PNG files of inspect"),
    ("backports.zstd", "backports.zstd", "zstd", ".zst files"),
)
# Of 80 columns, without those for the names of a section's rows.
VALUE_WIDTH = 66


def doctor() -> None:
    """Show versions, devices and missing packages.

    The speeds of the number formats are measured on this processor.
    """
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
        say("No problems found. Try 'nmt-lstm quickstart'.")


def version(distribution: str) -> str:
    """Return the installed version, or an empty string."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def versions(problems: list[str]) -> list[tuple[str, str]]:
    """Return the versions of Python, this package and its requirements."""
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
    """Return the versions of the optional packages, or what they are for and how to install them."""
    rows = []
    for module, distribution, extra, purpose in OPTIONAL:
        if module == "backports.zstd" and sys.version_info >= (3, 14):
            rows.append((distribution, "not needed: included in Python"))
        elif _is_installed(module):
            rows.append((distribution, version(distribution)))
        else:
            rows.append((distribution, f"for {purpose}; not installed: {install_command(extra)}"))
    return rows


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False


def devices() -> list[tuple[str, str]]:
    """Return the CPU and GPUs, with the number format that "auto" chooses on each for training."""
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
        rows.append(("gpu", f"none ({reason}); training runs on the CPU"))
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        precision = resolve_precision("auto", torch.device("cuda", index))
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        rows.append((f"cuda:{index}", f"{properties.name}, {memory}, precision {precision}"))
    return rows


def processor() -> list[tuple[str, str]]:
    """Return the processor, its speed in each number format, and what "auto" therefore chooses."""
    if importlib.util.find_spec("torch") is None:
        return [("none", "torch is missing")]
    from nmt_lstm.numerics.processor import instruction_limit, instructions, processor_name
    from nmt_lstm.numerics.speeds import PRODUCT, measured_speeds

    speeds = measured_speeds()
    limit = instruction_limit()
    product = " x ".join(str(size) for size in PRODUCT)
    rows = [
        ("model", processor_name()),
        ("instructions", ", ".join(instructions()) or "none of AVX2, AVX512, VNNI, BF16 and AMX"),
        *([("limit", limit)] if limit else []),
        ("float32", f"{speeds.float32 / 1e9:.0f} GFLOP/s ({product}, one thread)"),
        ("bf16", "not supported here" if speeds.bf16 is None else times_as_fast(speeds.bf16)),
        ("int8", times_as_fast(speeds.int8)),
        ("training", f"auto is {auto_in_training()}"),
        ("translation", "auto is float32: results do not depend on the batch size"),
    ]
    return [(name, textwrap.shorten(text, VALUE_WIDTH, placeholder=" ...")) for name, text in rows]


def times_as_fast(ratio: float) -> str:
    """Return a speed relative to float32 in words."""
    return f"{ratio:.1f} times the speed of float32: {'fast' if ratio > 1 else 'slow'}"


def auto_in_training() -> str:
    """Return the number format that "auto" chooses for training on the CPU, and the reason."""
    from nmt_lstm.numerics.precision import has_fast_bf16
    from nmt_lstm.numerics.processor import bf16_instructions, instruction_limit, instructions

    usable = " and ".join(bf16_instructions())
    if has_fast_bf16("cpu"):
        return f"bf16: {usable}"
    if usable:
        return f"float32: bf16 fails in this PyTorch despite {usable}"
    if {"BF16", "AMX"} & set(instructions()):
        return f"float32: {instruction_limit()}"
    return "float32: neither BF16 nor AMX"


def plugins(problems: list[str]) -> list[tuple[str, str]]:
    """Load every cell, attention and encoder, and add those that fail to `problems`."""
    from nmt_lstm.errors import PluginError
    from nmt_lstm.registry import REGISTRIES

    rows = []
    for registry in REGISTRIES:
        kind = f"{registry.kind}s"
        rows.append((kind, ", ".join(registry.names()) or "none"))
        if not registry.names():
            problems.append(f"no {kind} are registered; install nmt-lstm: pip install .")
        for name in registry.names():
            try:
                registry.get(name)
            except PluginError as problem:
                problems.append(str(problem))
    return rows
