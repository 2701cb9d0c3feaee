from __future__ import annotations

import math

import numpy as np
import pytest

from followup.records import Mark, Reasons, Vetoes


def test_reasons_are_made_only_when_read():
    made = []

    def of(i):
        made.append(i)
        return f"reason {i}"

    reasons = Reasons(100_000, of)
    few = reasons.take(np.arange(99_999, -1, -1))[10:12]
    assert made == []
    assert list(few) == ["reason 99989", "reason 99988"]
    assert made == [99_989, 99_988]
    assert reasons[-1] == "reason 99999"
    assert few == ["reason 99989", "reason 99988"]
    assert few != ["reason 99989"]
    assert len(reasons) == 100_000
    with pytest.raises(IndexError):
        few[2]


def test_a_veto_holds_until_its_date():
    vetoes = Vetoes(np.array([np.nan, np.inf, 61000.0]), ("fine", "never", "later"))
    assert vetoes.against(60999.0).tolist() == [False, True, True]
    assert vetoes.against(61000.0).tolist() == [False, True, False]


def test_a_mark_holds_until_it_expires():
    assert Mark("pin", "ada").holds(61000.0)
    assert Mark("snooze", "ada", "too early", 61001.0).holds(61000.0)
    assert not Mark("claim", "ada", "", 61000.0).holds(61000.0)
    assert math.isnan(Mark("note", "ada", "look").until)
