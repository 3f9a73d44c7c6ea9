"""Evidence as JSON and back: traces as plain lists, times in microseconds since 1970 UTC."""

from typing import Any

import numpy as np

from vehicle.finding import Evidence, Trace


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """The evidence in JSON's types; what is not a finite number becomes null."""
    return {
        "summary": evidence.summary,
        "clears_when": evidence.clears_when,
        "traces": [_trace_to_json(trace) for trace in evidence.traces],
        "threshold": evidence.threshold,
        "threshold_label": evidence.threshold_label,
        "missing": evidence.missing,
    }


def evidence_from_json(stored: dict[str, Any]) -> Evidence:
    """The evidence that `evidence_to_json` wrote."""
    return Evidence(**{**stored, "traces": tuple(_trace_from_json(trace) for trace in stored["traces"])})


def _trace_to_json(trace: Trace) -> dict[str, Any]:
    values = trace.values.astype(object)
    values[~np.isfinite(trace.values)] = None
    return {
        "label": trace.label,
        "unit": trace.unit,
        "times_us": trace.times.astype("datetime64[us]").astype(np.int64).tolist(),
        "values": values.tolist(),
    }


def _trace_from_json(stored: dict[str, Any]) -> Trace:
    times = np.array(stored["times_us"], dtype=np.int64).view("datetime64[us]")
    return Trace(stored["label"], stored["unit"], times, np.array(stored["values"], dtype=np.float64))
