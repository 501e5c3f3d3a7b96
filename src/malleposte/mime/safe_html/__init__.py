"""HTML of a message, made safe to show: no script, nothing that loads, nothing that acts.

``safe_html`` is all that others need. ``lists`` says what is kept, ``styles`` and ``stylesheets`` see to
how it looks, ``pictures`` takes every address that would load something out and numbers it, ``links`` says
where a link leads and whether its words do, ``quotes`` marks what is quoted, ``document`` puts it together.

Pure and bounded: no I/O, no clock; time grows with the length of what is given, and the caller bounds that.
Where it is shown it is sanitised once more (``web/src/frame``), in a frame that may load nothing.
"""

from malleposte.mime.safe_html.document import SafeHtml, safe_html
from malleposte.mime.safe_html.pictures import Picture

__all__ = ["Picture", "SafeHtml", "safe_html"]
