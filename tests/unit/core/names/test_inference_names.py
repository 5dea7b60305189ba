"""Names of runtimes and dtypes: the types say what the tables hold."""

from __future__ import annotations

from typing import get_args

import pytest

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.inference_names import (
    AUTO,
    DTYPE_OPTIONS,
    DTYPES,
    EXPORT_TARGETS,
    RUNTIME_OPTIONS,
    RUNTIMES,
    Dtype,
    DtypeOption,
    RuntimeName,
    RuntimeOption,
    check_dtype,
    check_runtime,
)


def test_types__are_the_names_of_the_tables() -> None:
    assert get_args(RuntimeName) == tuple(RUNTIMES)
    assert get_args(RuntimeOption) == RUNTIME_OPTIONS == (AUTO, *RUNTIMES)
    assert get_args(Dtype) == tuple(DTYPES)
    assert get_args(DtypeOption) == DTYPE_OPTIONS == (AUTO, *DTYPES)
    assert len(EXPORT_TARGETS) == len(RUNTIMES)


def test_check__returns_what_is_known_and_lists_it_otherwise() -> None:
    assert [check_runtime(name) for name in RUNTIME_OPTIONS] == list(RUNTIME_OPTIONS)
    assert [check_dtype(name) for name in DTYPE_OPTIONS] == list(DTYPE_OPTIONS)
    with pytest.raises(SettingsError, match=r"Unknown runtime 'tpu'; known: auto, openvino"):
        check_runtime("tpu")
    with pytest.raises(SettingsError, match=r"Unknown dtype 'fp8'; known: auto, float32"):
        check_dtype("fp8")
