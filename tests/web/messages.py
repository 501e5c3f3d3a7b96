"""Messages put into the demo's inbox by the page itself, as its client would."""

from collections.abc import Iterable
from email.message import EmailMessage

from playwright.sync_api import Page

# What the octets are goes as text: all that is put here is ASCII.
_PUT = """async (text) => {
    const session = await (await fetch("/.well-known/jmap")).json();
    const account = session.primaryAccounts["urn:ietf:params:jmap:mail"];
    const using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"];
    const upload = await fetch(`/jmap/upload/${account}/`, {
        method: "POST", body: text, headers: {"Content-Type": "message/rfc822"},
    });
    const {blobId} = await upload.json();
    const ask = async (methodCalls) => {
        const answer = await fetch("/jmap/api", {
            method: "POST",
            body: JSON.stringify({using, methodCalls}),
            headers: {"Content-Type": "application/json"},
        });
        return (await answer.json()).methodResponses;
    };
    const [[, boxes]] = await ask([
        ["Mailbox/get", {accountId: account, ids: null, properties: ["role"]}, "0"],
    ]);
    const inbox = boxes.list.find(({role}) => role === "inbox").id;
    const [[, done]] = await ask([["Email/import", {
        accountId: account, emails: {a: {blobId, mailboxIds: {[inbox]: true}}},
    }, "0"]]);
    return done.created.a.id;
}"""


def put(page: Page, message: EmailMessage) -> str:
    """The id of a message that is in the inbox now."""
    found: str = page.evaluate(_PUT, message.as_bytes().decode("ascii"))
    return found


def message(subject: str, html: str = "", **fields: str) -> EmailMessage:
    """One from somebody elsewhere."""
    found = EmailMessage()
    found["From"] = "Ada <ada@far.example>"
    found["To"] = "user@example.test"
    found["Subject"] = subject
    found["Message-ID"] = f"<{subject.replace(' ', '.')}@far.example>"
    found["Date"] = "Mon, 30 Nov 2026 10:00:00 +0000"
    for name, value in fields.items():
        del found[name]
        found[name] = value
    if html:
        found.set_content(html, subtype="html", cte="base64")
    return found


def of_parts(subject: str, texts: Iterable[str]) -> EmailMessage:
    """One whose text is many parts of HTML."""
    found = message(subject)
    found.make_mixed()
    for text in texts:
        part = EmailMessage()
        part.set_content(text, subtype="html", cte="base64")
        part["Content-Disposition"] = "inline"
        found.attach(part)
    return found
