"""Help shows every option once, in the section of its group."""

from __future__ import annotations

import re

import pytest
import typer

from nmt_lstm.cli.app import app


@pytest.mark.parametrize("name", ["train", "translate", "evaluate"])
def test_every_option_is_in_one_section(command, name):
    text = command(name, "--help").text
    parameters = typer.main.get_command(app).commands[name].params
    for parameter in parameters:
        option = max(parameter.opts, key=len)
        if option.startswith("--"):
            assert len(re.findall(rf"^  (?:-\w, )?{option}(?![\w-])", text, re.MULTILINE)) == 1, option


def test_sections_follow_the_order_of_the_options(command):
    text = command("translate", "--help").text
    titles = re.findall(r"^(\w[\w ,]+):$", text, re.MULTILINE)
    assert titles[:4] == ["Options", "Search", "Output", "Requests"]
    assert (
        text.index("--model") < text.index("\nSearch:") < text.index("--beam-size") < text.index("\nOutput:")
    )


def test_a_command_with_few_options_has_one_section(command):
    assert re.findall(r"^(\w+):$", command("models", "--help").text, re.MULTILINE) == ["Options"]
