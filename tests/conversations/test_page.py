"""Each transcript of docs/conversations.md is held by a test."""

import re
from pathlib import Path

from tests.conversations import page


def test_each_of_its_transcripts_is_one_that_a_test_has_seen() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    held = set(re.findall(r'(?:assert_shows\(|HEADING = )"([^"]+)"', tests))

    assert page.shown() == held
    assert len({heading.split(".")[0] for heading in held if heading[0].isdigit()}) == 10
