"""Sans-I/O protocol engines, a package each: bytes in, typed commands out; typed replies in, bytes out."""
