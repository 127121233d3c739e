"""Labels of rows that are still to come: pandas indexes continued."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd


def continue_index(index: pd.Index, n_steps: int) -> pd.Index:
    """The next `n_steps` labels of a regular pandas index.

    Raises
    ------
    ValueError
        Where the index has no constant step.
    """
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=n_steps, freq=index.freq, name=index.name)
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex):
        freq = index.freq
        if freq is None and len(index) > 2:
            with warnings.catch_warnings():
                # pandas 3 announces that it will return an offset in place of a string: both serve.
                warnings.simplefilter("ignore", DeprecationWarning)
                freq = pd.infer_freq(index)
        if freq is not None:
            make = pd.date_range if isinstance(index, pd.DatetimeIndex) else pd.timedelta_range
            return make(index[-1], periods=n_steps + 1, freq=freq, name=index.name)[1:]
    elif pd.api.types.is_numeric_dtype(index.dtype) and len(index) > 1:
        values = index.to_numpy(dtype=float)
        step = (values[-1] - values[0]) / (values.size - 1)
        slack = 1e-6 * abs(step) + 4 * np.spacing(np.abs(values).max())  # of rounded labels
        if step != 0 and np.abs(np.diff(values) - step).max() <= slack:
            if pd.api.types.is_integer_dtype(index.dtype):
                step = index[-1] - index[-2]
            return pd.Index(index[-1] + step * np.arange(1, n_steps + 1), name=index.name)
    raise ValueError(
        "the index has no regular step to continue: give the series a DatetimeIndex with a "
        "frequency (for example series.asfreq('D')), a PeriodIndex or evenly spaced numbers."
    )


def plain_index(index: pd.Index | None) -> dict[str, Any] | None:
    """An index as one array and a few words, for a file; `restored_index` is the way back."""
    if index is None:
        return None
    plain: dict[str, Any] = {"kind": type(index).__name__, "name": index.name}
    if isinstance(index, pd.PeriodIndex | pd.DatetimeIndex | pd.TimedeltaIndex):
        return plain | {
            "values": index.asi8,
            "freq": index.freqstr,
            "tz": str(index.tz) if getattr(index, "tz", None) is not None else None,
            "unit": getattr(index, "unit", None),
        }
    if pd.api.types.is_numeric_dtype(index.dtype):
        return plain | {"values": index.to_numpy()}
    return plain | {"values": index.astype(str).to_numpy(dtype=str)}


def restored_index(plain: dict[str, Any] | None) -> pd.Index | None:
    """The index that `plain_index` took apart; labels that are no numbers come back as text."""
    if plain is None:
        return None
    kind, name, values = plain["kind"], plain["name"], plain["values"]
    if kind == "PeriodIndex":
        return pd.PeriodIndex.from_ordinals(values, freq=plain["freq"], name=name)
    if kind == "TimedeltaIndex":
        moments = values.view(f"m8[{plain['unit']}]")
        return pd.TimedeltaIndex(moments, freq=plain["freq"], name=name)
    if kind == "DatetimeIndex":
        index = pd.DatetimeIndex(values.view(f"M8[{plain['unit']}]"), name=name)
        if plain["tz"] is not None:
            index = index.tz_localize("UTC").tz_convert(plain["tz"])
        index.freq = plain["freq"]
        return index
    return pd.Index(values, name=name)
