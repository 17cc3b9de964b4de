"""What the page of the models prints is what its code prints."""

import re

import pytest
from launch import ROOT

PAGE = (ROOT / "docs" / "models.md").read_text()
# Each python block with the text block right after it, if there is one.
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, re.S)


def test_code_and_output(capsys):
    names = {}
    for i, (code, output) in enumerate(BLOCKS):
        exec(compile(code, f"models.md, block {i}", "exec"), names)
        assert capsys.readouterr().out == output
    assert sum(bool(output) for _, output in BLOCKS) > 5


@pytest.mark.parametrize(
    "model", ["ThreeChannel", "FourChannel", "Thermoelectric", "Vector", "harmonic", "evolve", "contact_law"]
)
def test_every_model_is_there(model):
    assert f"{model}(" in PAGE or f"`{model}`" in PAGE or f".{model}`" in PAGE
