"""What mail programs of all languages call the few folders everybody has, and which role each name means.

A program that does not look at special uses (RFC 6154) makes these folders itself, in its user's language;
mail that comes from another server lies in them. Sources: the names that Outlook, Apple Mail, Thunderbird,
Gmail and the Android programs show and make, in the languages of Europe. A name stands here only where it
means one role in all languages; outboxes (« Postausgang », « Outbox ») are not folders of sent mail.
"""

from typing import Final

from malleposte.normal_form import normal

NAMES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "drafts": {
        "en": ("Drafts", "Draft"),
        "be": ("Чарнавікі",),
        "bg": ("Чернови",),
        "ca": ("Esborranys",),
        "cs": ("Koncepty", "Rozepsané"),
        "cy": ("Drafftiau",),
        "da": ("Kladder", "Udkast"),
        "de": ("Entwürfe", "Entwurf", "Entwuerfe"),
        "el": ("Πρόχειρα",),
        "es": ("Borradores", "Borrador"),
        "et": ("Mustandid",),
        "eu": ("Zirriborroak",),
        "fi": ("Luonnokset",),
        "fr": ("Brouillons", "Brouillon"),
        "ga": ("Dréachtaí",),
        "hr": ("Skice",),
        "hu": ("Piszkozatok", "Vázlatok"),
        "is": ("Drög",),
        "it": ("Bozze",),
        "lt": ("Juodraščiai",),
        "lv": ("Melnraksti",),
        "mt": ("Abbozzi",),
        "nb": ("Utkast", "Kladd"),
        "nl": ("Concepten",),
        "pl": ("Wersje robocze", "Kopie robocze", "Szkice", "Robocze"),
        "pt": ("Rascunhos", "Rascunho"),
        "ro": ("Ciorne", "Schițe", "Schiţe"),
        "ru": ("Черновики",),
        "sk": ("Rozpísané",),
        "sl": ("Osnutki",),
        "sr": ("Нацрти", "Радне верзије", "Nacrti"),
        "tr": ("Taslaklar",),
        "uk": ("Чернетки",),
    },
    "sent": {
        "en": ("Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent-Mail"),
        "be": ("Адпраўленыя", "Дасланыя"),
        "bg": ("Изпратени", "Изпратени елементи", "Изпратени съобщения", "Изпратена поща"),
        "ca": ("Enviats", "Elements enviats"),
        "cs": ("Odeslané", "Odeslaná pošta", "Odeslané položky", "Odeslané zprávy"),
        "cy": ("Anfonwyd",),
        "da": ("Sendt", "Sendt post", "Sendte", "Sendte elementer", "Sendte meddelelser"),
        "de": ("Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten"),
        "el": ("Απεσταλμένα", "Σταλμένα"),
        "es": ("Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado"),
        "et": ("Saadetud", "Saadetud kirjad", "Saadetud üksused"),
        "eu": ("Bidalitakoak", "Bidalitako elementuak"),
        "fi": ("Lähetetyt", "Lähetetyt viestit", "Lähetetyt kohteet"),
        "fr": (
            "Envoyés",
            "Éléments envoyés",
            "Messages envoyés",
            "Courrier envoyé",
            "Courriers envoyés",
            "Envoyes",
            "Elements envoyes",
        ),
        "ga": ("Seolta",),
        "hr": ("Poslano", "Poslane stavke", "Poslana pošta", "Poslane poruke"),
        "hu": ("Elküldött", "Elküldött elemek", "Elküldött üzenetek", "Elküldött levelek"),
        "is": ("Sendur póstur", "Sendir hlutir"),
        "it": ("Inviati", "Posta inviata", "Inviata", "Elementi inviati"),
        "lt": ("Išsiųsta", "Išsiųsti", "Išsiųsti laiškai", "Išsiųsti elementai"),
        "lv": ("Nosūtītie", "Nosūtītās vēstules", "Nosūtītie vienumi"),
        "mk": ("Испратени",),
        "mt": ("Mibgħuta",),
        "nb": ("Sendt e-post", "Sendte meldinger"),
        "nl": ("Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden objecten"),
        "pl": ("Wysłane", "Elementy wysłane", "Wysłane wiadomości"),
        "pt": (
            "Enviadas",
            "Itens enviados",
            "Mensagens enviadas",
            "Correio enviado",
            "Enviado",
            "E-mails enviados",
        ),
        "ro": ("Trimise", "Elemente trimise", "Mesaje trimise", "E-mailuri trimise"),
        "ru": (
            "Отправленные",
            "Отправленные письма",
            "Отправленные сообщения",
            "Отправлено",
        ),
        "sk": ("Odoslané", "Odoslaná pošta", "Odoslané položky", "Odoslané správy"),
        "sl": ("Poslani elementi", "Poslana sporočila"),
        "sq": ("Të dërguarat", "Dërguar"),
        "sr": ("Послато", "Послате ставке", "Послате поруке", "Poslato", "Poslate stavke"),
        "sv": ("Skickat", "Skickade objekt", "Skickade", "Skickade meddelanden"),
        "tr": ("Gönderilmiş Öğeler", "Gönderilenler", "Gönderilmiş Postalar", "Gönderilmiş"),
        "uk": ("Надіслані", "Надіслане", "Надіслані елементи", "Відправлені"),
    },
    "archive": {
        "en": ("Archive", "Archives", "Archived"),
        "be": ("Архіў",),
        "bg": ("Архив",),
        "ca": ("Arxiu",),
        "cy": ("Archif",),
        "da": ("Arkiv",),
        "de": ("Archiv",),
        "el": ("Αρχείο", "Αρχειοθήκη"),
        "es": ("Archivo",),
        "et": ("Arhiiv",),
        "eu": ("Artxiboa",),
        "fi": ("Arkisto",),
        "ga": ("Cartlann",),
        "hr": ("Arhiva",),
        "hu": ("Archívum",),
        "it": ("Archivio",),
        "lt": ("Archyvas",),
        "lv": ("Arhīvs",),
        "mt": ("Arkivju",),
        "nl": ("Archief",),
        "pl": ("Archiwum",),
        "pt": ("Arquivo",),
        "ro": ("Arhivă",),
        "sk": ("Archív",),
        "sl": ("Arhiv",),
        "sr": ("Архива",),
        "tr": ("Arşiv",),
        "uk": ("Архів",),
    },
    "junk": {
        "en": (
            "Junk",
            "Spam",
            "Junk E-mail",
            "Junk Email",
            "Junk-E-mail",
            "Junk Mail",
            "Bulk Mail",
        ),
        "bg": ("Нежелана поща", "Спам"),
        "ca": ("Correu brossa", "Brossa"),
        "cs": ("Nevyžádaná pošta", "Nevyžádané"),
        "da": ("Uønsket mail", "Uønsket e-mail", "Uønsket post"),
        "de": ("Unerwünscht", "Spamverdacht", "Spam-Verdacht", "Unerwünschte Werbung"),
        "el": ("Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία"),
        "es": ("Correo no deseado", "No deseado", "Correo basura"),
        "et": ("Rämpspost", "Rämps"),
        "eu": ("Zabor-posta", "Zabor posta"),
        "fi": ("Roskaposti",),
        "fr": (
            "Indésirables",
            "Courrier indésirable",
            "Courriers indésirables",
            "Pourriel",
            "Pourriels",
            "Courrier indesirable",
        ),
        "ga": ("Turscar",),
        "gl": ("Correo lixo",),
        "hr": ("Neželjena pošta", "Neželjena e-pošta", "Bezvrijedna e-pošta"),
        "hu": ("Levélszemét",),
        "is": ("Ruslpóstur",),
        "it": ("Posta indesiderata", "Indesiderata"),
        "lt": ("Brukalas", "Šlamštas", "Nepageidaujami laiškai"),
        "lv": ("Mēstules", "Surogātpasts", "Nevēlamais e-pasts"),
        "nb": ("Søppelpost", "Uønsket e-post"),
        "nl": ("Ongewenste e-mail", "Ongewenste reclame", "Ongewenst"),
        "pl": ("Wiadomości-śmieci", "Wiadomości śmieci", "Niechciane"),
        "pt": ("Lixo eletrônico", "Lixo eletrónico", "Lixo electrónico", "E-mail de lixo"),
        "ro": ("Mesaje nedorite", "E-mail nedorit", "Nedorite"),
        "ru": ("Нежелательная почта", "Нежелательные"),
        "sk": ("Nevyžiadaná pošta", "Nevyžiadané"),
        "sl": ("Neželena pošta", "Neželena e-pošta", "Vsiljena pošta"),
        "sr": ("Нежељена пошта",),
        "sv": ("Skräppost", "Skräp"),
        "tr": (
            "İstenmeyen",
            "İstenmeyen E-posta",
            "Önemsiz",
            "Önemsiz E-posta",
            "Gereksiz E-posta",
        ),
        "uk": ("Небажана пошта",),
    },
    "trash": {
        "en": ("Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin"),
        "be": ("Сметніца", "Выдаленыя"),
        "bg": ("Кошче", "Изтрити", "Изтрити елементи"),
        "ca": ("Paperera", "Elements suprimits", "Eliminats"),
        "cs": ("Koš", "Odstraněná pošta", "Odstraněné položky", "Odstraněné"),
        "da": ("Papirkurv", "Slettet post", "Slettede elementer", "Slettede", "Slettet"),
        "de": (
            "Papierkorb",
            "Gelöscht",
            "Gelöschte Elemente",
            "Gelöschte Objekte",
            "Gelöschte Nachrichten",
            "Geloeschte Elemente",
        ),
        "el": ("Κάδος απορριμμάτων", "Απορρίμματα", "Διαγραμμένα", "Κάδος"),
        "es": ("Papelera", "Elementos eliminados", "Mensajes eliminados", "Eliminados"),
        "et": ("Prügi", "Prügikast", "Kustutatud", "Kustutatud kirjad", "Kustutatud üksused"),
        "eu": ("Zakarrontzia", "Ezabatutako elementuak"),
        "fi": ("Roskakori", "Poistetut", "Poistetut viestit", "Poistetut kohteet"),
        "fr": (
            "Corbeille",
            "Éléments supprimés",
            "Messages supprimés",
            "Supprimés",
            "Elements supprimes",
        ),
        "ga": ("Bruscar",),
        "gl": ("Papeleira",),
        "hr": ("Smeće", "Izbrisano", "Izbrisane stavke", "Otpad"),
        "hu": ("Kuka", "Törölt", "Törölt elemek", "Törölt üzenetek", "Lomtár"),
        "is": ("Rusl", "Eyddir hlutir"),
        "it": ("Cestino", "Posta eliminata", "Eliminati", "Elementi eliminati"),
        "lt": ("Šiukšlinė", "Šiukšliadėžė", "Ištrinta", "Ištrinti laiškai", "Ištrinti elementai"),
        "lv": ("Atkritne", "Dzēstie vienumi", "Miskaste"),
        "nb": ("Papirkurven", "Søppel", "Slettede meldinger"),
        "nl": ("Prullenbak", "Prullenmand", "Verwijderde items", "Verwijderd"),
        "pl": ("Kosz", "Elementy usunięte", "Usunięte", "Usunięte wiadomości"),
        "pt": ("Lixeira", "Lixo", "Itens excluídos", "Itens eliminados", "Mensagens excluídas"),
        "ro": ("Coș de gunoi", "Coş de gunoi", "Elemente șterse", "Elemente şterse", "Gunoi"),
        "ru": (
            "Корзина",
            "Удалённые",
            "Удаленные",
            "Удалённые сообщения",
            "Удаленные сообщения",
            "Удаленные письма",
        ),
        "sk": ("Kôš", "Odstránené", "Odstránené položky", "Odstránená pošta"),
        "sl": ("Smeti", "Izbrisani elementi"),
        "sr": ("Смеће", "Отпад", "Избрисане ставке"),
        "sv": ("Papperskorgen", "Papperskorg", "Borttagna objekt", "Borttaget", "Borttagna"),
        "tr": ("Çöp Kutusu", "Çöp", "Silinmiş Öğeler", "Silinmiş", "Silinenler"),
        "uk": ("Кошик", "Видалені", "Видалене", "Видалені елементи", "Смітник"),
    },
}
"""Role → language → names, as they are shown. A name that two languages share stands under one."""

_PREFIXES: Final = frozenset({"inbox", "[gmail]", "[google mail]"})
"""Levels that some servers keep these folders below."""


def _folded(name: str) -> str:
    # The dot that the lower case of a Turkish capital I keeps is not written by everybody.
    return normal("NFC", name).casefold().replace("\u0307", "")


_ROLE_OF: Final = {
    _folded(name): role
    for role, languages in NAMES.items()
    for names in languages.values()
    for name in names
}
_LONGEST: Final = 64
"""Characters of a name that is looked up: the longest here has 24."""


def role_of(path: str) -> str:
    """The role that a folder's full name means, levels joined by ``/``; '' for all others.

    Only at the top, or below INBOX or Gmail's own prefix, where some servers keep them all.
    """
    if len(path) > _LONGEST:
        return ""
    levels = _folded(path).split("/")
    if len(levels) == 2 and levels[0] in _PREFIXES:
        del levels[0]
    return _ROLE_OF.get(levels[0], "") if len(levels) == 1 else ""
