"""A model that somebody else saved runs nothing when faceswap loads it: code in it is found before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.faceswap import model as models
from galloway.pipeline.engines.faceswap.model import check_runs_nothing


def save(path: Path, *, program: bool) -> None:
    """A small model as Keras itself writes it, with or without code of its own."""
    import keras

    layers = [keras.Input((4,)), keras.layers.Dense(64, name="words_with_lambda_in_them")]
    if program:
        layers.append(keras.layers.Lambda(lambda x: x * 2, output_shape=(64,)))
    model = keras.Sequential(layers)
    model.predict(np.zeros((1, 4)), verbose=0)
    model.save(path)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_code_in_a_model_is_found_and_an_honest_model_passes(tmp_path: Path, ending: str) -> None:
    save(tmp_path / f"original{ending}", program=False)
    check_runs_nothing(tmp_path)
    (tmp_path / "backup").mkdir()
    save(tmp_path / "backup" / f"original{ending}", program=True)
    (tmp_path / "backup" / f"original{ending}").rename(tmp_path / "backup" / f"original{ending}.bk")
    with pytest.raises(EngineError, match=r"holds a program.*Nothing was run"):
        check_runs_nothing(tmp_path)


@pytest.mark.parametrize(
    "words", [b'{"function_type": "lambda"}', b'{"output_shape_type":"lambda"}', b'{"class_name": "__lambda__"}']
)
def test_it_is_found_wherever_it_stands(tmp_path: Path, words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_BLOCK", 96)
    for place in (0, 80, 90, 95, 96, 400):
        (tmp_path / "m.h5").write_bytes(b"\x89HDF" + b"." * place + words + b"." * 300)
        with pytest.raises(EngineError, match="holds a program"):
            check_runs_nothing(tmp_path)
    (tmp_path / "m.h5").write_bytes(b"\x89HDF" + b'{"function_type": "function"}')
    check_runs_nothing(tmp_path)
