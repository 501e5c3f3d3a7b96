"""Whole conversations, read from transcripts/: the same responses however the octets are cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.wire.managesieve.dialogue import Service, Transcript, read_transcripts
from unit.wire.smtp.dialogue import in_pieces

TRANSCRIPTS = read_transcripts(Path(__file__).parent / "transcripts")

every_transcript = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda t: t.name)


def begin_turn(transcript: Transcript, service: Service, number: int) -> None:
    if number in transcript.handshakes:
        assert service.handshake_due
        service.engine.tls_started()


@every_transcript
def test_fed_in_whole_turns(transcript: Transcript) -> None:
    service = transcript.service()
    for number, (client, server) in enumerate(transcript.turns):
        begin_turn(transcript, service, number)
        assert service.feed(client).decode("latin-1") == server.decode("latin-1")
    transcript.check_end(service)


@every_transcript
def test_fed_one_octet_at_a_time(transcript: Transcript) -> None:
    service = transcript.service()
    for number, (client, server) in enumerate(transcript.turns):
        begin_turn(transcript, service, number)
        said = service.pump() + service.feed_slowly(client)
        assert said.decode("latin-1") == server.decode("latin-1")
    transcript.check_end(service)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_cut_anywhere(data: st.DataObject) -> None:
    """Even across turns: a client may send all it has to say at once."""
    transcript = data.draw(st.sampled_from([t for t in TRANSCRIPTS if not t.handshakes]))
    client = b"".join(turn[0] for turn in transcript.turns)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(client) - 1)), max_size=30))
    service = transcript.service()
    said = b"".join(service.feed(piece) for piece in in_pieces(client, cuts))
    assert said == b"".join(turn[1] for turn in transcript.turns)
    transcript.check_end(service)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 8
