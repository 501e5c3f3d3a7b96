"""Whole conversations, read from transcripts/: the same replies however the octets are cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.wire.smtp.dialogue import Service, Transcript, in_pieces, read_transcripts

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
        assert service.feed(client).decode() == server.decode()
    transcript.check_end(service)


@every_transcript
def test_fed_one_octet_at_a_time(transcript: Transcript) -> None:
    service = transcript.service()
    for number, (client, server) in enumerate(transcript.turns):
        begin_turn(transcript, service, number)
        assert (service.pump() + service.feed_slowly(client)).decode() == server.decode()
    transcript.check_end(service)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_cut_anywhere(data: st.DataObject) -> None:
    """Even across turns, where the client is allowed to pipeline: TCP knows no turns."""
    transcript = data.draw(st.sampled_from([t for t in TRANSCRIPTS if not t.handshakes]))
    client = b"".join(turn[0] for turn in transcript.turns)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(client) - 1)), max_size=30))
    turn_ends: list[int] = []
    for octets, _ in transcript.turns:
        turn_ends.append((turn_ends[-1] if turn_ends else 0) + len(octets))
    service = transcript.service()
    replies = b"".join(service.feed(piece) for piece in in_pieces(client, [*cuts, *turn_ends]))
    assert replies == b"".join(turn[1] for turn in transcript.turns)
    transcript.check_end(service)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 15
