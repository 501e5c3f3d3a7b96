"""textBody, htmlBody and attachments (RFC 8621 §4.1.4)."""

from __future__ import annotations

from malleposte.mime import body_lists, has_attachment, parse

Tree = str | tuple[str, list["Tree"]]


def build(tree: Tree, number: int = 0) -> bytes:
    """A message of a tree: `("mixed", […])`, or a leaf `type/subtype[; disposition]`."""
    if isinstance(tree, str):
        media, _, disposition = tree.partition("; ")
        header = f"Content-Type: {media}\n".encode()
        if disposition:
            header += f"Content-Disposition: {disposition}\n".encode()
        return header + b"\nx\n"
    subtype, children = tree
    boundary = f"b{number}x"
    out = f"Content-Type: multipart/{subtype}; boundary={boundary}\n\n".encode()
    for place, child in enumerate(children):
        out += f"--{boundary}\n".encode() + build(child, number * 10 + place + 1)
    return out + f"--{boundary}--\n".encode()


def lists(tree: Tree) -> tuple[list[str], list[str], list[str]]:
    found = body_lists(parse(build(tree)))
    text, html, attachments = ([p.section for p in each] for each in found)
    return text, html, attachments


def test_the_example_of_the_rfc() -> None:
    # RFC 8621 §4.1.4: parts A to K.
    tree: Tree = (
        "mixed",
        [
            "text/plain; inline",  # A 1
            (
                "mixed",  # 2
                [
                    (
                        "alternative",  # 2.1
                        [
                            (
                                "mixed",
                                [
                                    "text/plain; inline",  # B 2.1.1.1
                                    "image/jpeg; inline",  # C 2.1.1.2
                                    "text/plain; inline",  # D 2.1.1.3
                                ],
                            ),
                            ("related", ["text/html", "image/jpeg"]),  # E 2.1.2.1, F 2.1.2.2
                        ],
                    ),
                    "image/jpeg; attachment",  # G 2.2
                    "application/x-excel",  # H 2.3
                    "message/rfc822",  # J 2.4
                ],
            ),
            "text/plain; inline",  # K 3
        ],
    )
    text, html, attachments = lists(tree)
    assert text == ["1", "2.1.1.1", "2.1.1.2", "2.1.1.3", "3"]
    assert html == ["1", "2.1.2.1", "3"]
    assert attachments == ["2.1.1.2", "2.1.2.2", "2.2", "2.3", "2.4"]


def test_a_plain_message_is_both() -> None:
    assert lists("text/plain") == (["1"], ["1"], [])
    assert lists("text/html") == (["1"], ["1"], [])


def test_alternatives_with_one_side_only_serve_both() -> None:
    assert lists(("alternative", ["text/html"])) == (["1"], ["1"], [])
    assert lists(("alternative", ["text/plain"])) == (["1"], ["1"], [])
    assert lists(("alternative", ["text/plain", "text/html", "text/calendar"])) == (
        ["1"],
        ["2"],
        ["3"],
    )


def test_a_named_text_after_the_first_is_an_attachment() -> None:
    assert lists(("mixed", ["text/plain; inline; filename=a", "text/plain; inline; filename=b"]))[
        2
    ] == ["2"]


def test_an_embedded_message_is_one_attachment() -> None:
    data = build(("mixed", ["text/plain", "message/rfc822"])).replace(
        b"rfc822\n\nx\n", b"rfc822\n\nSubject: s\nContent-Type: image/png\n\nx\n"
    )
    parts = parse(data)
    assert [part.section for part in body_lists(parts).attachments] == ["2"]
    inner = body_lists(parts, root=3)
    assert [part.media for part in inner.text] == ["image/png"]


def test_has_attachment_unless_all_are_inline() -> None:
    def has(tree: Tree) -> bool:
        return has_attachment(body_lists(parse(build(tree))))

    assert not has("text/plain")
    assert has(("mixed", ["text/plain", "application/pdf"]))
    assert has(("mixed", ["text/plain", "application/pdf; attachment"]))
    assert not has(("mixed", ["text/plain", "application/pdf; inline"]))
    assert not has(("mixed", ["text/plain", "image/png"]))
