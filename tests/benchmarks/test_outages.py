"""A report has a row for every outage of its run, and none where there was none."""

import dataclasses

from benchmarks._outages import outage_cards
from benchmarks.report import render_report
from hil.outage import Outage
from tests.benchmarks.rehearsals import make_rehearsal

OUTAGE = Outage(
    from_ns=2_000_000_000, found_ns=2_900_000_000, to_ns=3_250_000_000, reason="it fell <silent>", frames=17, agent_changed=True
)


def test_an_outage_is_a_row_of_the_report(tmp_path):
    rehearsal, _ = make_rehearsal(tmp_path, [30.0] * 100)
    assert "Times without the agent" not in render_report(rehearsal, [])
    never = dataclasses.replace(OUTAGE, to_ns=None, agent_changed=None)
    session = dataclasses.replace(rehearsal.session, outages=(OUTAGE.to_dict(), never.to_dict()))
    html = render_report(dataclasses.replace(rehearsal, session=session), [])
    assert "Times without the agent" in html
    (card,) = outage_cards(session)
    for said in ("2.00", "0.90", "1.25", "it fell &lt;silent&gt;", "17", "another process", "never"):
        assert said in card
