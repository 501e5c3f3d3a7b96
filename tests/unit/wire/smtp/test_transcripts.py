"""Whole conversations, read from transcripts/: the same replies however the octets are cut."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.dialogues import play_cut, play_turns, read_transcripts
from unit.wire.smtp.dialogue import Transcript

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
    """Even across turns, where the client is allowed to pipeline: TCP knows no turns."""
    transcript = data.draw(st.sampled_from([t for t in TRANSCRIPTS if not t.handshakes]))
    last = max(1, len(transcript.sent) - 1)
    cuts = data.draw(st.lists(st.integers(1, last), max_size=30))
    ends = itertools.accumulate(len(octets) for octets, _ in transcript.turns)
    play_cut(transcript, transcript.service(), [*cuts, *ends])


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 15
