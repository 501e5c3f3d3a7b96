"""A message: structure with byte offsets, headers, addresses, dates, charsets, rendered columns.

One bounded iterative parser that never raises on any bytes. `summarize` makes in one pass what
the store keeps of a message; `load_structure` reads the stored parts back, `section` and
`header_fields` cut IMAP sections out of the message by them, `body` renders BODY, `decode_body`
decodes a part, the module `compose` builds messages, `report`, `dsn` and `mdn` build and read
reports about messages. Nothing here does I/O; a buffer is `bytes`,
a `memoryview` or an `mmap`.
"""

from .address import Address, Group, addresses
from .body import body_bytes, body_text, byte_slices, decode_body, text_slices
from .body_lists import BodyLists, body_lists, has_attachment
from .bodystructure import body, bodystructure
from .collation import casemap
from .date import DateTime, date_time
from .encoded_words import decode_text
from .envelope import envelope_of
from .headers import Field, fields, header_fields, last_values
from .limits import DEFAULT_LIMITS, Limits
from .message_id import message_ids
from .part import Kind, Part, dump_structure, load_structure, load_structure_slices
from .preview import preview
from .received import Received, received
from .scanner import Buffer
from .section import SectionKind, find_part, section
from .structure import parse, parse_slices
from .subject import base_subject
from .summary import Summary, header_thread_key, summarize, summarize_slices
from .text_list import text_list
from .thread import ThreadKey, read_thread_key, thread_ids, thread_key

__all__ = [
    "DEFAULT_LIMITS",
    "Address",
    "BodyLists",
    "Buffer",
    "DateTime",
    "Field",
    "Group",
    "Kind",
    "Limits",
    "Part",
    "Received",
    "SectionKind",
    "Summary",
    "ThreadKey",
    "addresses",
    "base_subject",
    "body",
    "body_bytes",
    "body_lists",
    "body_text",
    "bodystructure",
    "byte_slices",
    "casemap",
    "date_time",
    "decode_body",
    "decode_text",
    "dump_structure",
    "envelope_of",
    "fields",
    "find_part",
    "has_attachment",
    "header_fields",
    "header_thread_key",
    "last_values",
    "load_structure",
    "load_structure_slices",
    "message_ids",
    "parse",
    "parse_slices",
    "preview",
    "read_thread_key",
    "received",
    "section",
    "summarize",
    "summarize_slices",
    "text_list",
    "text_slices",
    "thread_ids",
    "thread_key",
]
