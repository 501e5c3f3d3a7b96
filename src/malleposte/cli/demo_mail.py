"""The demo's letters: forty short ones of our own making, in English and French.

Conversations with replies, both kinds of text, small attachments, flags, several mailboxes; dates are
days before now, so that a demo looks lived in whenever it is made. Who writes lives at names that are
reserved for examples (RFC 2606).
"""

import datetime
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Final

from malleposte.mime import compose
from malleposte.mime.compose import Mailbox

CLAIRE: Final = Mailbox("Claire Lefèvre", "user@example.test")
ADMIN: Final = Mailbox("Olivier Brandt", "admin@example.test")
HELENE: Final = Mailbox("Hélène Garçon-Dupré", "helene@example.org")
MARTIN: Final = Mailbox("Martin Okafor", "martin@example.com")
PRIYA: Final = Mailbox("Priya Raman", "priya@example.net")
JONAS: Final = Mailbox("Jonas Weiß", "jonas@example.org")
NOEL: Final = Mailbox("Noël Traoré", "noel@example.com")
LIBRARY: Final = Mailbox("City Library", "notices@library.example.org")
TRAINS: Final = Mailbox("Rail & Ferry", "tickets@trains.example.com")
LUCKY: Final = Mailbox("Prize Department", "winner@lucky.example.net")

SEEN, ANSWERED, FLAGGED, DRAFT = "\\Seen", "\\Answered", "\\Flagged", "\\Draft"


@dataclass(frozen=True, slots=True)
class Attached:
    """A small file, made on the spot."""

    name: str
    media: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """``ago``: days before now, ``hour`` of that day. ``key`` names it, ``answers`` the key of the one
    it answers. ``html``: the same text for those who like it pretty."""

    key: str
    ago: int
    hour: float
    sender: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    text: str
    mailbox: str = "INBOX"
    flags: tuple[str, ...] = (SEEN,)
    answers: str = ""
    html: str = ""
    cc: tuple[Mailbox, ...] = ()
    attached: tuple[Attached, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Written:
    """A letter as it is filed: octets with CRLF, and Unix seconds."""

    mailbox: str
    flags: tuple[str, ...]
    received_at: int
    octets: bytes


def written(letters: tuple[Letter, ...], now: datetime.datetime) -> Iterator[Written]:
    """The letters as messages, oldest first. ``now`` has a time zone."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    threads: dict[str, tuple[str, ...]] = {}
    for letter in sorted(letters, key=lambda one: (-one.ago, one.hour)):
        at = midnight - datetime.timedelta(days=letter.ago) + datetime.timedelta(hours=letter.hour)
        at = min(at, now - datetime.timedelta(minutes=5))
        identity = f"{letter.key}.{int(at.timestamp())}@{letter.sender.address.partition('@')[2]}"
        before = threads.get(letter.answers, ())
        threads[letter.key] = (*before, identity)
        fields = [
            compose.addresses("From", [letter.sender]),
            compose.addresses("To", letter.to),
            *([compose.addresses("Cc", letter.cc)] if letter.cc else []),
            compose.unstructured("Subject", letter.subject),
            compose.field("Date", format_datetime(at)),
            compose.message_ids("Message-ID", [identity]),
        ]
        if before:
            fields.append(compose.message_ids("In-Reply-To", before[-1:]))
            fields.append(compose.message_ids("References", before))
        octets = compose.message(fields, _content(letter))
        yield Written(letter.mailbox, letter.flags, int(at.timestamp()), octets)


def _content(letter: Letter) -> compose.Entity:
    content: compose.Entity = compose.text(letter.text)
    if letter.html:
        page = f"<!DOCTYPE html><html><body>{letter.html}</body></html>"
        content = compose.Multipart(
            "alternative", (compose.text(letter.text), compose.text(page, "html"))
        )
    if letter.attached:
        files = tuple(compose.attachment(a.content, a.media, a.name) for a in letter.attached)
        content = compose.Multipart("mixed", (content, *files))
    return content


def picture(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A PNG that shades from one colour into white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(
        b"\0" + bytes(c + (255 - c) * x // width for x in range(width) for c in colour)
        for _ in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


_BUDGET = b"item;2025;2026\r\nhosting;1 140;1 180\r\nprinting;620;480\r\ntravel;2 300;1 950\r\n"
_NOTES = "Café « Étoile », réunion du lundi\n- menu d'été\n- terrasse\n- salaires\n".encode()
_EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//demo//EN\r\nBEGIN:VEVENT\r\n"
    b"UID:kickoff@example.com\r\nDTSTAMP:20260101T090000Z\r\nDTSTART:20260115T090000Z\r\n"
    b"DTEND:20260115T100000Z\r\nSUMMARY:Website kick-off\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)

FOR_USER: Final[tuple[Letter, ...]] = (
    Letter(
        "welcome", 92, 9.0, ADMIN, (CLAIRE,), "Welcome to Malleposte",
        "Hello Claire,\n\nyour mailbox is ready. Any mail program will do: IMAP for reading, submission "
        "for\nsending. What you delete can be brought back for fourteen days.\n\nOlivier\n",
        html="<p>Hello Claire,</p><p>your mailbox is ready. Any mail program will do: <b>IMAP</b> for "
        "reading, <b>submission</b> for sending.</p><p>What you delete can be brought back for fourteen "
        "days.</p><p>Olivier</p>",
        flags=(SEEN, FLAGGED),
    ),
    Letter(
        "welcome2", 92, 10.5, CLAIRE, (ADMIN,), "Re: Welcome to Malleposte",
        "Thank you, Olivier! It found the server by itself. Where do I ask for a second address?\n\n"
        "> your mailbox is ready.\n", mailbox="Sent", answers="welcome",
    ),
    Letter(
        "welcome3", 92, 11.0, ADMIN, (CLAIRE,), "Re: Welcome to Malleposte",
        "Just tell me the name, it takes a second.\n", answers="welcome2",
    ),
    Letter(
        "etoile1", 80, 8.25, HELENE, (CLAIRE, NOEL), "Café Étoile : la carte d'été",
        "Bonjour à tous les deux,\n\nvoici l'idée : une carte courte, trois entrées, trois plats, et la "
        "tarte de Noël\n(le cuisinier, pas la fête). Qu'en pensez-vous ?\n\nHélène\n",
        mailbox="Projects/Étoile", flags=(SEEN, ANSWERED),
    ),
    Letter(
        "etoile2", 80, 9.5, NOEL, (HELENE, CLAIRE), "Re: Café Étoile : la carte d'été",
        "La tarte reste, je ne négocie pas.\nPour les entrées : œufs mimosa, gaspacho, pâté de ma "
        "grand-mère.\n\nNoël\n\n> voici l'idée : une carte courte\n",
        mailbox="Projects/Étoile", answers="etoile1",
    ),
    Letter(
        "etoile3", 79, 18.0, CLAIRE, (HELENE, NOEL), "Re: Café Étoile : la carte d'été",
        "D'accord pour tout. Je m'occupe de l'imprimeur et de la photo de la façade.\n\nClaire\n",
        mailbox="Sent", answers="etoile2",
    ),
    Letter(
        "etoile4", 77, 7.75, HELENE, (CLAIRE, NOEL), "Re: Café Étoile : la carte d'été",
        "Parfait. Les notes de lundi sont jointes, avec la couleur que j'ai choisie pour les murs.\n",
        mailbox="Projects/Étoile", answers="etoile3",
        attached=(
            Attached("réunion.txt", "text/plain", _NOTES),
            Attached("façade.png", "image/png", picture(160, 90, (178, 34, 52))),
        ),
    ),
    Letter(
        "etoile5", 61, 21.0, NOEL, (CLAIRE,), "Facture de l'imprimeur",
        "Claire,\n\nl'imprimeur demande 480 € au lieu de 620 €. Je dis oui avant qu'il ne se ravise ?\n",
        mailbox="Projects/Étoile", flags=(SEEN, ANSWERED, FLAGGED),
    ),
    Letter(
        "etoile6", 61, 21.4, CLAIRE, (NOEL,), "Re: Facture de l'imprimeur",
        "Oui ! Tout de suite !\n", mailbox="Sent", answers="etoile5",
    ),
    Letter(
        "web1", 70, 14.0, MARTIN, (CLAIRE, PRIYA), "Website kick-off",
        "Hi both,\n\nThursday at ten for the kick-off? An invitation is attached. I would like to leave "
        "with\nthree decisions: who writes, who draws, and when we stop.\n\nMartin\n",
        mailbox="Projects/Website", flags=(SEEN, ANSWERED),
        attached=(Attached("kick-off.ics", "text/calendar", _EVENT),),
    ),
    Letter(
        "web2", 70, 15.25, PRIYA, (MARTIN, CLAIRE), "Re: Website kick-off",
        "Ten is fine. I write, Claire draws, and we stop when the budget does.\n",
        mailbox="Projects/Website", answers="web1",
    ),
    Letter(
        "web3", 69, 9.0, CLAIRE, (MARTIN, PRIYA), "Re: Website kick-off",
        "Agreed on all three. I will bring sketches.\n", mailbox="Sent", answers="web2",
    ),
    Letter(
        "web4", 66, 17.0, MARTIN, (CLAIRE, PRIYA), "Notes from the kick-off",
        "Short notes:\n\n1. The old pages stay up until the new ones have been read by two people.\n"
        "2. No banners, no counters, no pop-ups.\n3. Priya keeps the list of texts; she sends it on "
        "Fridays.\n\nMartin\n",
        html="<h3>Short notes</h3><ol><li>The old pages stay up until the new ones have been read by two "
        "people.</li><li>No banners, no counters, no pop-ups.</li><li>Priya keeps the list of texts; she "
        "sends it on Fridays.</li></ol><p>Martin</p>",
        mailbox="Projects/Website",
    ),
    Letter(
        "web5", 45, 16.5, PRIYA, (CLAIRE, MARTIN), "Texts, week 3",
        "Eleven of fourteen texts are done. Missing: opening hours, the map, and the page about us, which\n"
        "nobody wants to write. Volunteers?\n", mailbox="Projects/Website", flags=(SEEN,),
    ),
    Letter(
        "web6", 44, 8.5, MARTIN, (PRIYA, CLAIRE), "Re: Texts, week 3",
        "I take the page about us. It will be short.\n", mailbox="Projects/Website", answers="web5",
    ),
    Letter(
        "web7", 30, 13.0, MARTIN, (CLAIRE,), "Budget 2026",
        "The figures as promised. Travel is the one to look at.\n",
        flags=(SEEN, FLAGGED),
        attached=(Attached("budget 2026.csv", "text/csv", _BUDGET),),
    ),
    Letter(
        "web8", 29, 9.75, CLAIRE, (MARTIN,), "Re: Budget 2026",
        "Looks right to me. We could take the night train and save the hotel.\n",
        mailbox="Sent", answers="web7",
    ),
    Letter(
        "web9", 29, 10.0, MARTIN, (CLAIRE,), "Re: Budget 2026",
        "Good idea. I will ask for prices.\n\n> We could take the night train and save the hotel.\n",
        answers="web8",
    ),
    Letter(
        "train1", 27, 6.0, TRAINS, (CLAIRE,), "Your ticket: night train, two berths",
        "Thank you for travelling with us.\n\nDeparture 21:14, platform 5. Please be there ten minutes "
        "early: the train will\nnot wait, and neither will the conductor.\n",
        html="<table><tr><td>Departure</td><td><b>21:14</b></td></tr><tr><td>Platform</td><td>5</td></tr>"
        "</table><p>Please be there ten minutes early.</p>",
    ),
    Letter(
        "train2", 12, 6.0, TRAINS, (CLAIRE,), "A change to your journey",
        "Your train now leaves from platform 7. Everything else stays as it was.\n",
        flags=(SEEN, FLAGGED),
    ),
    Letter(
        "library1", 58, 7.0, LIBRARY, (CLAIRE,), "Two books are due on Friday",
        "Dear reader,\n\nplease bring back or renew:\n\n- A History of the Post\n- Jardins de ville\n",
        mailbox="Archive",
    ),
    Letter(
        "library2", 37, 7.0, LIBRARY, (CLAIRE,), "Your reservation has arrived",
        "The book you asked for waits at the desk for ten days.\n", mailbox="Archive",
    ),
    Letter(
        "library3", 16, 7.0, LIBRARY, (CLAIRE,), "Two books are due on Friday",
        "Dear reader,\n\nplease bring back or renew:\n\n- The Art of the Envelope\n- Le facteur sonne "
        "encore\n",
    ),
    Letter(
        "jonas1", 41, 19.0, JONAS, (CLAIRE,), "Grüße aus Köln",
        "Liebe Claire,\n\ndie Ausstellung ist großartig; du musst sie sehen. Ich schicke dir ein Bild vom\n"
        "Fluss.\n\nJonas\n", flags=(SEEN, ANSWERED),
        attached=(Attached("Fluss.png", "image/png", picture(200, 80, (25, 80, 150))),),
    ),
    Letter(
        "jonas2", 40, 8.0, CLAIRE, (JONAS,), "Re: Grüße aus Köln",
        "Danke! Im Frühling komme ich. Hast du ein Sofa für mich?\n", mailbox="Sent", answers="jonas1",
    ),
    Letter(
        "jonas3", 40, 8.5, JONAS, (CLAIRE,), "Re: Grüße aus Köln",
        "Immer. Es ist blau und ein wenig zu kurz.\n", answers="jonas2",
    ),
    Letter(
        "garden1", 23, 12.0, HELENE, (CLAIRE, JONAS, PRIYA), "Jardin partagé, samedi",
        "Bonjour,\n\nsamedi à dix heures nous plantons les pommiers. Apportez des gants ; il y aura de la "
        "soupe.\n\nHélène\n", cc=(NOEL,), flags=(SEEN, ANSWERED),
    ),
    Letter(
        "garden2", 23, 12.5, NOEL, (HELENE,), "Re: Jardin partagé, samedi",
        "Je fais la soupe. Qui apporte le pain ?\n", cc=(CLAIRE, JONAS, PRIYA), answers="garden1",
    ),
    Letter(
        "garden3", 22, 20.0, CLAIRE, (HELENE, NOEL), "Re: Jardin partagé, samedi",
        "Le pain, c'est moi.\n", mailbox="Sent", answers="garden2",
    ),
    Letter(
        "garden4", 20, 18.0, PRIYA, (HELENE, CLAIRE), "Re: Jardin partagé, samedi",
        "What a day! My back says otherwise, but I am glad we did it.\n\nPriya\n", answers="garden1",
        attached=(Attached("apple trees.png", "image/png", picture(120, 120, (40, 120, 60))),),
    ),
    Letter(
        "etoile7", 9, 8.0, HELENE, (CLAIRE,), "Étoile : premiers chiffres",
        "Claire,\n\nquarante couverts samedi, et la tarte était partie à vingt heures. Noël est "
        "insupportable.\n\nHélène\n", flags=(SEEN, FLAGGED),
    ),
    Letter(
        "web10", 6, 15.0, PRIYA, (CLAIRE, MARTIN), "The new pages are up",
        "They are up, and nothing fell down. Please click on everything.\n", flags=(SEEN, ANSWERED),
    ),
    Letter(
        "web11", 6, 15.5, CLAIRE, (PRIYA, MARTIN), "Re: The new pages are up",
        "I clicked on everything. The map thinks we are in the river; the rest is lovely.\n",
        mailbox="Sent", answers="web10",
    ),
    Letter(
        "web12", 5, 9.0, MARTIN, (CLAIRE, PRIYA), "Re: The new pages are up",
        "The map was right, it rained that much. It is mended now.\n", answers="web11", flags=(),
    ),
    Letter(
        "draft1", 3, 22.0, CLAIRE, (JONAS,), "Voyage au printemps",
        "Cher Jonas,\n\nje pensais au mois d'avril, vers le 17. Est-ce que le sofa\n",
        mailbox="Drafts", flags=(SEEN, DRAFT),
    ),
    Letter(
        "lucky1", 8, 3.0, LUCKY, (CLAIRE,), "You are the lucky winner!!!",
        "CONGRATULATIONS, dear friend. Send us the fee today and the prize is yours tomorrow.\n",
        mailbox="Junk", flags=("$Junk",),
    ),
    Letter(
        "lucky2", 2, 3.5, LUCKY, (CLAIRE,), "LAST CHANCE, dear friend",
        "The prize is waiting. It waits only for you. And for the fee.\n",
        mailbox="Junk", flags=("$Junk",),
    ),
    Letter(
        "trash1", 14, 7.0, LIBRARY, (CLAIRE,), "Opening hours over the holidays",
        "The library is closed from the 24th to the 2nd.\n", mailbox="Trash",
    ),
    Letter(
        "admin1", 1, 9.25, ADMIN, (CLAIRE,), "The second address",
        "Claire,\n\nit is there: anything to info@example.test reaches you as well.\n\nOlivier\n",
        flags=(),
    ),
    Letter(
        "noel1", 0, 8.0, NOEL, (CLAIRE, HELENE), "Tarte du jour",
        "Poires et amandes. Venez avant midi.\n\nNoël\n", flags=(),
    ),
)  # fmt: skip

FOR_ADMIN: Final[tuple[Letter, ...]] = (
    Letter(
        "ask1", 1, 8.75, CLAIRE, (ADMIN,), "A second address?",
        "Hello Olivier,\n\ncould info@example.test reach me as well?\n\nClaire\n",
        flags=(SEEN, ANSWERED),
    ),
    Letter(
        "ask2", 1, 9.25, ADMIN, (CLAIRE,), "The second address",
        "Claire,\n\nit is there: anything to info@example.test reaches you as well.\n\nOlivier\n",
        mailbox="Sent", answers="ask1",
    ),
)  # fmt: skip
