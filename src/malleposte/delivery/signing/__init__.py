"""Signatures on what leaves: DKIM for our domains' mail, ARC for what is sent on for others.

``dkim.sign`` and ``arc.seal`` know no I/O: octets and keys in, header lines out, to stand before the
message. What is signed are the octets as they go over the wire, so that recoding comes before it.
``keys`` are made and sealed; ``published`` sees to it that a key signs only once its record stands in
the DNS; ``signer`` chooses the keys of a domain, and raises the alarm where its mail leaves unsigned.
"""
