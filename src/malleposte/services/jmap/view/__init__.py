"""Messages as they may be shown: an extension of our own, by which Email/get and Email/parse give HTML that
is safe (``makeHTMLSafe``), and pictures of the web are fetched by the server (docs/message-safety.md).

``safe_texts`` makes values of bodies safe; ``images`` signs addresses and fetches pictures, ``raster``
knows one when it sees it; ``names`` has the name of the capability.
"""
