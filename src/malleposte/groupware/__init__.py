"""Contacts, and calendars later, over the store: the formats they travel in, and the form they are kept in.

``content_lines`` is what vCard and iCalendar are written in; ``vcard`` turns vCards into JSContact and
back; ``cards`` is what of a card the store keeps, and finds it by; ``jscontact`` says what a card may look
like.
Nothing here opens a socket or waits for anything.
"""
