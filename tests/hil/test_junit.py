from xml.etree import ElementTree as ET

import pytest

from hil.junit import junit_xml
from hil.verdict import judge
from tests.hil.records import answered, missed, session

GOOD = [answered(i, 0.030) for i in range(200)]


def suite_of(*sessions):
    return ET.fromstring(junit_xml(judge(*sessions), *sessions)).find("testsuite")


@pytest.mark.parametrize(
    ("made", "counts"),
    [
        (session(GOOD), (0, 0, 2)),
        (session([*GOOD[:150], *(missed(i, "dropped") for i in range(150, 200))]), (1, 0, 2)),
        (session(GOOD[:20], profile="look"), (1, 1, 2)),  # too few, and nothing shown either
        (session(GOOD, fault="The agent died."), (1, 0, 2)),
    ],
    ids=["pass", "fail", "invalid", "fault"],
)
def test_a_rule_is_a_test_case(made, counts):
    suite = suite_of(made)
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases) == 7
    assert tuple(int(suite.get(name)) for name in ("failures", "errors", "skipped")) == counts
    found = tuple(sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped"))
    assert found == counts
    assert {case.get("classname") for case in cases} == {f"rehearse.hil.{made.profile}"}


def test_what_ran_stands_in_the_properties():
    suite = suite_of(session(GOOD, agent={"engine": {"emulates": "a <device> & more"}}))
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert properties["verdict"] == "PASS"
    assert "a <device> & more" in properties["mark"]
    assert properties["claim"] == "0.95"


def test_words_of_a_peer_cannot_break_the_document():
    suite = suite_of(session(GOOD, fault="It said \x00\x1b[2J\ud800 and died."))
    assert suite.find("testcase/failure").get("message") == "It said [2J and died."
