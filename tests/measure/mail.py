"""Mail for figures of the web client: made up, of a few kinds, a third of it in conversations."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

_NAMES: Final = [
    "Amélie Laurent",
    "Bruno Keller",
    "Chloé Petit",
    "Daniel Okafor",
    "Elena Rossi",
    "Félix Moreau",
    "Grace Lindqvist",
    "Hugo Bernard",
    "Inès Marchand",
    "Jonas Weber",
    "Karima Haddad",
    "Léo Fontaine",
    "Marta Nowak",
    "Nadia Benali",
    "Oscar Dupuis",
]
_WORDS: Final = [
    "the",
    "order",
    "invoice",
    "delivery",
    "of",
    "meeting",
    "next",
    "week",
    "your",
    "notes",
    "plan",
    "about",
    "quarter",
    "report",
    "from",
    "supplier",
    "and",
    "draft",
    "contract",
    "signed",
    "new",
    "schedule",
    "team",
    "office",
    "answer",
    "question",
    "before",
    "Friday",
    "please",
    "review",
    "attached",
]
FIRST: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)


def messages(count: int, seed: int = 1) -> Iterator[tuple[datetime, bytes]]:
    """So many, the oldest first, with the times at which they came."""
    chosen = random.Random(seed)
    threads: list[tuple[str, list[str]]] = []
    for number in range(count):
        came = FIRST - timedelta(minutes=(count - number) * 5)
        name = chosen.choice(_NAMES)
        local = name.lower().replace(" ", ".").encode("ascii", "ignore").decode()
        own = f"<{number}.{seed}@measure.test>"
        references = ""
        if threads and chosen.random() < 0.3:
            subject, before = chosen.choice(threads[-200:])
            references = f"In-Reply-To: {before[-1]}\r\nReferences: {' '.join(before[-8:])}\r\n"
            before.append(own)
            shown = f"Re: {subject}"
        else:
            shown = subject = " ".join(chosen.choices(_WORDS, k=chosen.randint(3, 9))).capitalize()
            threads.append((subject, [own]))
        html = chosen.random() < 0.6
        kind, text = ("html", _html(chosen)) if html else ("plain", _paragraphs(chosen, "\r\n\r\n"))
        yield (
            came,
            (
                f'From: "{name}" <{local}@measure.test>\r\nTo: user@example.test\r\nSubject: {shown}\r\n'
                f"Date: {format_datetime(came)}\r\nMessage-ID: {own}\r\n{references}MIME-Version: 1.0\r\n"
                f"Content-Type: text/{kind}; charset=utf-8\r\n"
                f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
            ).encode(),
        )


def _paragraphs(chosen: random.Random, between: str) -> str:
    return between.join(
        " ".join(chosen.choices(_WORDS, k=chosen.randint(12, 14)))
        for _ in range(chosen.randint(2, 9))
    )


def _html(chosen: random.Random) -> str:
    """As a newsletter is made: a table with styles."""
    text = _paragraphs(chosen, "</p><p style='margin:0 0 12px'>")
    return (
        "<html><head><style>.h{color:#334;font-size:20px}</style></head><body>"
        "<table width='600' cellpadding='0' style='border:1px solid #dde;margin:0 auto'>"
        "<tr><td class='h' style='padding:16px'>News of the week</td></tr>"
        f"<tr><td style='padding:16px'><p style='margin:0 0 12px'>{text}</p>"
        "<a href='https://shop.measure.test/offer' style='color:#06c'>Read on</a>"
        "</td></tr></table></body></html>"
    )
