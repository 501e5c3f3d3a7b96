"""``malleposte bench``: hands its words on to the bench."""


def bench(*words: str) -> int:
    """Measure this server beside Postfix + Dovecot; `malleposte bench --help` lists the options."""
    from malleposte.bench.command import main

    return main(words)
