"""What must hold of any bytes taken for a message; used by property tests and the fuzzer."""

from __future__ import annotations

from malleposte.mime import (
    Kind,
    Part,
    Summary,
    body,
    body_bytes,
    body_lists,
    body_text,
    find_part,
    header_fields,
    load_structure,
    parse,
    section,
    summarize,
)
from malleposte.mime.scanner import Buffer
from unit.mime.imap_grammar import check_body, check_envelope, read


def check_message(data: bytes) -> Summary:
    """Everything below, on one message."""
    summary = summarize(data)
    parts = load_structure(summary.structure)
    assert parts == parse(data)
    check_parts(data, parts)
    check_sections(data, parts)
    check_rendered(summary, parts)
    check_columns(summary)
    assert summary.header_size == parts[0].body_start
    assert summary.lines == data.count(b"\n")
    lists = body_lists(parts)
    for part in (*lists.text, *lists.html, *lists.attachments):
        assert part.kind != Kind.MULTIPART
    for part in parts[:20]:
        if part.kind == Kind.LEAF:
            body_bytes(data, part)
            body_text(data, part)
    return summary


def check_parts(data: Buffer, parts: tuple[Part, ...]) -> None:
    """Preorder; offsets in order, within bounds, children inside, siblings apart; lines right."""
    root = parts[0]
    assert (root.header_start, root.body_end, root.parent, root.level) == (0, len(data), -1, 0)
    seen = {0}
    for index, part in enumerate(parts):
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(data)
        assert part.lines == bytes(data[part.body_start : part.body_end]).count(b"\n")
        at = part.body_start
        previous = index
        for child in part.children:
            inner = parts[child]
            assert child > previous, "children come later, in order"
            previous = child
            assert inner.parent == index
            assert inner.level == part.level + 1
            assert at <= inner.header_start
            assert inner.body_end <= part.body_end
            at = inner.body_end
            assert child not in seen
            seen.add(child)
        if part.kind == Kind.LEAF:
            assert part.children == ()
        elif part.kind == Kind.MESSAGE:
            assert len(part.children) == 1
        else:
            assert part.type == "multipart"
        assert part.type != "multipart" or part.kind == Kind.MULTIPART
    assert seen == set(range(len(parts)))


def check_sections(data: bytes, parts: tuple[Part, ...]) -> None:
    """The part numbers lead back to their parts; HEADER and TEXT make up a message."""
    assert section(parts, ()) == (0, len(data))
    for part in parts[:50]:
        numbers = [int(number) for number in part.section.split(".") if number]
        container = part.parent >= 0 and parts[part.parent].kind == Kind.MESSAGE
        if part.kind == Kind.MULTIPART and (container or part.parent < 0):
            continue  # a message's own multipart has no number
        assert find_part(parts, numbers) is part
        assert section(parts, numbers) == (part.body_start, part.body_end)
        assert section(parts, numbers, "MIME") == (part.header_start, part.body_start)
        header, text = section(parts, numbers, "HEADER"), section(parts, numbers, "TEXT")
        if part.kind == Kind.MESSAGE:
            assert header is not None
            assert text is not None
            assert header[0] == part.body_start
            assert header[1] == text[0]
            assert text[1] == part.body_end
        else:
            assert header is None
            assert text is None
    header_size = parts[0].body_start
    assert section(parts, (), "HEADER") == (0, header_size)
    assert section(parts, (), "TEXT") == (header_size, len(data))
    block = data[:header_size]
    names = [b"From", b"SUBJECT", b"x-other"]
    chosen = header_fields(block, names)
    others = header_fields(block, names, negate=True)
    assert chosen.endswith(b"\r\n")
    assert len(chosen) + len(others) <= len(block) + 8


def check_rendered(summary: Summary, parts: tuple[Part, ...]) -> None:
    """Every rendered form parses by the strict grammar; the second only where it differs."""
    check_envelope(read(summary.envelope, utf8=False))
    check_body(read(summary.bodystructure, utf8=False), extended=True, global_=False)
    check_body(read(body(parts), utf8=False), extended=False, global_=False)
    check_body(read(body(parts, utf8=True), utf8=True), extended=False, global_=True)
    if summary.envelope_utf8 is not None:
        assert summary.envelope_utf8 != summary.envelope
        check_envelope(read(summary.envelope_utf8, utf8=True))
    if summary.bodystructure_utf8 is not None:
        assert summary.bodystructure_utf8 != summary.bodystructure
        check_body(read(summary.bodystructure_utf8, utf8=True), extended=True, global_=True)


def check_columns(summary: Summary) -> None:
    """Text columns are storable, on one line and bounded."""
    assert len(summary.preview) <= 256
    assert len(summary.subject) <= 1_000
    assert len(summary.thread_ids) <= 30
    columns = [summary.preview, summary.subject, summary.base_subject, *summary.thread_ids]
    columns += [summary.from_, summary.to, summary.cc, summary.bcc, summary.message_id or ""]
    for column in columns:
        column.encode()
        assert not any(ord(char) < 32 or char == "\x7f" for char in column), repr(column)
        assert len(column) <= 4_000
