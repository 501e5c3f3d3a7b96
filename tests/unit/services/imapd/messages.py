"""Messages the transcripts speak of, by name."""

from __future__ import annotations


def _crlf(text: str) -> bytes:
    return text.strip("\n").replace("\n", "\r\n").encode("utf-8") + b"\r\n"


MESSAGES: dict[str, bytes] = {
    "plain": _crlf(
        """
From: Ada <ada@example.com>
To: Bob <bob@example.org>
Subject: An apple a day
Date: Tue, 10 Nov 2026 09:00:00 +0100
Message-ID: <plain@example.com>
X-Odd: first
x-odd: second

Keeps the doctor away.
Or so they say.
"""
    ),
    "reply": _crlf(
        """
From: bob@example.org
To: ada@example.com
Cc: =?utf-8?q?Zo=C3=AB?= <zoe@example.net>
Subject: Re: An apple a day
Date: Wed, 11 Nov 2026 23:30:00 -0500
Message-ID: <reply@example.org>
In-Reply-To: <plain@example.com>

Pears as well.
"""
    ),
    "short": _crlf(
        """
Subject: s

x
"""
    ),
    "alternative": _crlf(
        """
From: ada@example.com
To: bob@example.org
Subject: Both ways
Message-ID: <both@example.com>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=cut

This is the preamble.
--cut
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

R3LDvMOfZSBhdXMgTcO8bmNoZW4K
--cut
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Gr=FC=DFe aus =
M=FCnchen</p>
--cut--
"""
    ),
    "digest": _crlf(
        """
From: ada@example.com
To: bob@example.org
Subject: Forwarded
Message-ID: <outer@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=outer"

--=outer
Content-Type: text/plain

See below.
--=outer
Content-Type: message/rfc822

From: carol@example.net
Subject: Inner matters
Message-ID: <inner@example.net>
Content-Type: multipart/mixed; boundary=in

--in

Inner text.
--in
Content-Type: application/octet-stream; name=data.bin
Content-Disposition: attachment; filename=data.bin
Content-Transfer-Encoding: base64

AAECAwQF
--in--
--=outer--
"""
    ),
    "eight": _crlf(
        """
From: Zoë <zoe@example.net>
To: bob@example.org
Subject: Crème brûlée
Message-ID: <eight@example.net>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Où est la crème?
"""
    ),
    # What answers what: plain ← reply ← answer, plain ← aside, and two that answer what is not there.
    "answer": _crlf(
        """
From: ada@example.com
To: bob@example.org
Subject: RE: An apple a day
Date: Thu, 12 Nov 2026 08:00:00 +0000
Message-ID: <answer@example.com>
References: <plain@example.com>
 <reply@example.org>

Better than plums.
"""
    ),
    "aside": _crlf(
        """
From: carol@example.net
To: ada@example.com
Subject: Re: An apple a day
Date: Wed, 11 Nov 2026 08:00:00 +0000
Message-ID: <aside@example.net>
In-Reply-To: <plain@example.com> from Ada

Which sort?
"""
    ),
    "lost": _crlf(
        """
From: dave@example.net
Subject: Minutes
Date: Mon, 9 Nov 2026 08:00:00 +0000
Message-ID: <lost@example.net>
References: <gone@example.net>

As agreed.
"""
    ),
    "found": _crlf(
        """
From: erin@example.net
Subject: Agenda
Date: Fri, 13 Nov 2026 08:00:00 +0000
Message-ID: <found@example.net>
References: <gone@example.net>

For Monday.
"""
    ),
    "nul": b"Subject: nul\r\n\r\na\0b\r\n",
}
