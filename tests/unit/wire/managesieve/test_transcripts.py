"""Whole conversations, read from transcripts/: the same responses however the octets are cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.dialogues import play_cut, play_turns, read_transcripts
from unit.wire.managesieve.dialogue import Transcript

TRANSCRIPTS = read_transcripts(Path(__file__).parent / "transcripts", Transcript)

every_transcript = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda t: t.name)


@every_transcript
def test_fed_in_whole_turns(transcript: Transcript) -> None:
    play_turns(transcript, transcript.service())


@every_transcript
def test_fed_one_octet_at_a_time(transcript: Transcript) -> None:
    play_turns(transcript, transcript.service(), slowly=True)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_cut_anywhere(data: st.DataObject) -> None:
    """Even across turns: a client may send all it has to say at once."""
    transcript = data.draw(st.sampled_from([t for t in TRANSCRIPTS if not t.handshakes]))
    last = max(1, len(transcript.sent) - 1)
    cuts = data.draw(st.lists(st.integers(1, last), max_size=30))
    play_cut(transcript, transcript.service(), cuts)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 8
