"""Words that the records of the invented company are made of; nobody of these names is meant."""

from __future__ import annotations

FIRST_NAMES = (
    "Anouk", "Bram", "Carlijn", "Daan", "Eefje", "Fleur", "Gijs", "Hanneke", "Ilse", "Jorrit",
    "Karlijn", "Lieke", "Maarten", "Noor", "Otto", "Pien", "Quinten", "Roos", "Sjoerd", "Teun",
    "Ülkü", "Veerle", "Wout", "Xandra", "Yara", "Zoë", "Chloé", "Jürgen", "Renée", "Siem",
)  # fmt: skip
LAST_NAMES = (
    "Vlindersteen", "van der Korenbloem", "Zandwijker", "de Waterlinde", "Kaasjager", "ter Hazel",
    "Bergdonker", "Molenschot", "Regenwulp", "van 't Zilverduin", "Hoefbladt", "Klaverdonk",
    "de Honingraat", "Papaverhof", "Rietvoorn", "Sneeuwklok", "Turfsteker", "van Windekind",
    "Wolkenaar", "Zevensprong", "d'Anjerveld", "Boterbloem-Eik", "Kwartelaar", "in 't Lisdodde",
)  # fmt: skip
TRADES = (
    "Bakkerij", "Installatiebedrijf", "Hoveniersbedrijf", "Administratiekantoor", "Drukkerij",
    "Fietsenmakerij", "Schildersbedrijf", "Timmerfabriek", "Transportbedrijf", "Adviesbureau",
    "Kwekerij", "Reclamebureau", "Rijschool", "Slagerij", "Technisch bureau", "Uitgeverij",
    "Zeilmakerij", "Café", "Brouwerij", "Softwarehuis",
)  # fmt: skip
LEGAL_FORMS = ("B.V.", "B.V.", "V.O.F.", "& Zn.", "", "Groep", "Coöperatie U.A.")
STREETS = (
    "Verzonnenlaan",
    "Voorbeeldstraat",
    "Fantasieplein",
    "Nergensweg",
    "Dromenkade",
    "Proefdijk",
)
CITIES = ("Verzinstad", "Nergenshuizen", "Voorbeekdam", "Fantasieveen", "Proeverdorp", "Sint Mythe")
FUNCTIONS = ("Directeur", "Inkoper", "Administratie", "Projectleider", "Receptie", "Planner", None)
JOBS = (
    "Offerte nabellen", "Kennismaking", "Jaargesprek", "Onderhoud plannen", "Factuur controleren",
    "Demo voorbereiden", "Levering afstemmen", "Contract verlengen", "Klacht afhandelen",
    "Nieuwe prijslijst sturen",
)  # fmt: skip
PRODUCTS = (
    "Onderhoudscontract", "Website", "Servicepakket", "Licenties", "Verbouwing showroom",
    "Training", "Zonnepanelen", "Kantoorinrichting", "Abonnement", "Hosting",
)  # fmt: skip
REMARKS = (
    "Belt liever niet vóór 10 uur.",
    'Zei: "eerst zien, dan geloven" \u2014 proefperiode afgesproken.',
    "Regel een\nRegel twee\r\nRegel drie",
    "Erg tevreden \U0001f600\U0001f44d\U0001f3fd, wil uitbreiden.",
    "Betaalt per € 1.000; korting 5% (eenmalig)",
    "C:\\klanten\\map; 'enkele' en \"dubbele\" aanhalingstekens, komma's, (haakjes): alles.",
    "\tIngesprongen, met een tab",
    "<b>Geen</b> HTML &amp; toch wel",
    "Ω ≈ ç √ — 日本語 — ελληνικά",
    "",
    None,
    None,
    None,
)
ORIGINS = ("Beurs", "Website", "Doorverwijzing", "Telefoon", "Nieuwsbrief")
ROLES = ("Beheerder", "Verkoop", "Binnendienst", "Alleen lezen")
EVENTS = ("customer.created", "contract.updated", "chance.deleted")
CUSTOM_FIELDS = (
    ("customer", "Aantal medewerkers", "number"),
    ("customer", "Branche", "select"),
    ("customer", "Klant sinds", "date"),
    ("contact", "Voorkeur voor contact", "select"),
    ("contact", "Verjaardag", "date"),
    ("appointment", "Reistijd (minuten)", "number"),
    ("task", "Geschatte uren", "number"),
    ("chance", "Concurrent", "text"),
    ("chance", "Soort", "select"),
    ("assignment", "Projectnummer", "text"),
    ("assignment", "Meerwerk", "checkbox"),
    ("contract", "Opzegtermijn", "select"),
    ("contract", "Stilzwijgend verlengen", "checkbox"),
)
CHOICES = ("Laag", "Midden", "Hoog")
MORE_CHOICES = ("Groot", "groot", 'Détail & "Co"', "1", "Overig, n.v.t.")
FIELD_TYPES = (
    "text", "textarea", "number", "decimal", "date", "datetime", "checkbox", "select",
    "multiselect", "url", "email", "phone", "user",
)  # fmt: skip
"""Guess: the words by which Cirqll tells the types of custom fields apart."""
MORE_CUSTOM_FIELDS = (
    ("customer", "Branche", "text"),
    ("customer", "branche", "select"),
    ("customer", "Toelichting", "textarea"),
    ("customer", "Jaaromzet (x € 1.000)", "decimal"),
    ("customer", "Laatste bezoek", "datetime"),
    ("customer", "Interesses", "multiselect"),
    ("customer", "Webshop", "url"),
    ("customer", "E-mail administratie", "email"),
    ("customer", "Telefoon 's avonds", "phone"),
    ("customer", "Vaste verkoper", "user"),
    ("customer", "Nieuwsbrief?", "checkbox"),
    ("contact", "Taal", "select"),
    ("contact", "Hobby's", "multiselect"),
    ("contact", "LinkedIn", "url"),
    (
        "contact",
        "Hoe heeft deze contactpersoon ons voor het eerst leren kennen en wie was daar toen bij",
        "text",
    ),
    ("appointment", "Vergaderruimte", "select"),
    ("appointment", "Kilometers", "decimal"),
    ("appointment", "Werkelijk begonnen", "datetime"),
    ("task", 'Spoed: "ja" / 100%!', "checkbox"),
    ("task", "Controleur", "user"),
    ("task", "Onderdelen", "multiselect"),
    ("chance", "Verwachte marge", "decimal"),
    ("chance", "Beslisdatum", "date"),
    ("chance", "soort", "text"),
    ("assignment", "Startdocument", "url"),
    ("assignment", "Oplevering", "datetime"),
    ("assignment", "Werkzaamheden", "multiselect"),
    ("contract", "Indexering %", "decimal"),
    ("contract", "E-mail facturen", "email"),
    ("contract", "Getekend op", "date"),
    ("contract", "日本語 & Größe", "text"),
)
SETTINGS = (
    ("language", "nl"), ("currency", "EUR"), ("timezone", "Europe/Amsterdam"),
    ("date_format", "d-m-Y"), ("week_starts_on", "1"), ("invoice_footer", ""),
    ("logo", None), ("signature", "Met vriendelijke groet,\nTeam Voorbeeld \U0001f337"),
)  # fmt: skip
