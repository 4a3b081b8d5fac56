"""Words of columns and tables that turn a name: into a count, a thing, a person."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_agent.privacy.name_words import lexicon

TAILS = lexicon("""
    action bracket ext extension
    allowed allowlist amount anzahl app art at attempts avg band bool boolean
    bounced bounces brand bucket budget by campaign carrier category change changed
    changes channel checksum class clicked clicks cnt column columns confirmed consent
    conversions cost count counts created currency date datetime datum day days default
    delivered disabled domain duration empty enabled encrypted event events exists
    expiration expired expires expiring expiry fee field file files fk flag folder format
    four frequency group hash hashed hours id ids impressions index key keys kind lang
    language last last4 len length length_days level limit list lists locale make
    manufacturer masked max md5 mean median medium method min minutes missing mode model
    month nb nombre_de null num opened opens operator opt optin optout order os page pages
    path pct percent permission pk plan platform policy preference preferences preferred
    present price primary product provider qty quantity quarter queue quota range rank
    rate ratio received required reset resets retries revenue rotation rule schema score
    seconds segment sent sessions sha sha256 share size sk source spend stage state status
    step strength subject subscribed sum system table tax template tier time timestamp tld
    topic total ts ttl typ type types unit units unsubscribed updated uri url usage valid
    validated validity vendor verified version views visits week
""")
"""Last words after which the values are about the thing and no longer the thing itself."""
HEADS = lexicon("""
    anzahl average avg can cnt count had has is max min must n nb nbr no_of num number_of
    pct percent should sum total was were
""")
"""First words with the same effect."""
THINGS = lexicon("""
    antenna antennas articles camera cameras catalogue cells depot depots gateway gateways inventory
    meter meters formulary router routers stock tower towers turbine turbines ward wards
    abteilung account_type airline airlines airport airports album app application
    applications apps archivo area areas article artikel artist_label audience azienda
    bank banks book books branch brand brands bucket build building builds business
    calendar campaign campaigns carrier carriers catalog categories category channel
    channels check checks child cities city class classes cluster cohort cohorts color
    column columns commit companies company config configs countries country county course
    courses currency dashboard dashboards database dataset datasets datei db department
    departments device devices dish district domain domains empresa entreprise error
    errors event events experiment experiments feature features fee fees fichier field
    fields file filename files filiale film firm firma fleet form forms game games git
    group groups holiday holidays host hosts hotel hotels index ingredient item items job
    job_run jobs kampagne kategorie key label labels lager language languages level
    library lieferant line lines list lists location locations log logs machine machines
    manufacturer marke material menu merchant merchants metric metrics model models module
    modules movie node nodes org organisation organization organizations orgs package
    packages page pages parameter parameters parent partition partner partners permission
    pipeline plan plane planes plans plant playlist policies policy port ports process
    prodotto product producto products produit produkt produto program programs project
    projects province queries query queue recipe region regions release repo report
    reports repository restaurant role roles route routes rule rules run runs schema
    schemas school segment segments sensor sensors server servers service services setting
    settings ship ships shop shops site sites size sku skus song source sources stage
    stages state states station stations status step steps stop stops store stores stream
    street_type supplier suppliers survey table tables tag tags task tasks tax taxes team
    team_stats teams template templates test tests topic type types unit units university
    unternehmen url variant variants vehicle_type vendor vendors venue venues version
    warehouse warehouses workflow workflows zone zones
""")
PEOPLE = lexicon("""
    abonne abonnes agent agents alumno alumnos ansprechpartner applicant applicants
    attendee attendees author authors beneficiaries beneficiary benutzer bewerber borrower
    borrowers buyer buyers candidate candidates cardholder cardholders citizen citizens
    client cliente clientes clienti clients contact contacts crew customer customers
    dipendente dipendenti doctor doctors donor donors driver drivers empleado empleados
    employe employee employees employes funcionario funcionarios guest guests hr
    identities identity individual individuals insured kunde kunden lead leads member
    members mitarbeiter mitglied mitglieder nurse nutzer owner owners paciente pacientes
    participant participants passenger passengers patient patienten patients payroll
    paziente pazienti people person persona personas personen personne personnel personnes
    persons pessoa pessoas physician physicians player players policyholder policyholders
    profile profiles prospect prospects recipient recipients resident residents salarie
    salaries schuler seller sellers staff student studenten students subscriber
    subscribers teacher teachers tenant tenants traveler travelers user users usuario
    usuarios utente utenti utilisateur utilisateurs visitor visitors voter voters worker
    workers
""")
GLUE = lexicon("""
    alt alternate billing business client code contact count customer delivery emergency
    hash home kunde kunden line main my new no nr num number office old person personal
    primary private secondary sent shipping user verified work
""")
TALK = lexicon("""
    ticket tickets support case cases complaint complaints review reviews survey surveys call calls
    chat chats message messages conversation conversations feedback note notes comment comments
    interview interviews inquiry inquiries anfrage anfragen beschwerde beschwerden reclamation avis
    resena resenas opinion opinions crm helpdesk letters letter appointment appointments visit
    visits encounter encounters
""")
SHORTHAND = dict(
    pair.split("=")
    for pair in lexicon("""
        acct=account adr=address bday=birthday cust=customer eml=email emp=employee frst=first
        lst=last mob=mobile nbr=number nm=name nmbr=number num=number pat=patient ph=phone phn=phone
        pwd=password sal=salary usr=user
    """)
)
"""Abbreviations, spelled out before the phrases are looked for."""
NOT_PERSONAL_AFTER: Mapping[str, frozenset[str]] = {
    "address": lexicon("""
    bus contract host memory network page server site url wallet web
"""),
    "free_text": lexicon("""
    alert build check commit debug error exception log release status success system test
    validation warning
"""),
    "income": lexicon("""
    company gross interest net operating other taxable total
"""),
    "credential": lexicon("""
    cache continuation csrf cursor next page partition sort
"""),
    "username": lexicon("first last"),
    "ip_address": lexicon("""
    cluster database db gateway instance node pod proxy router server vm
"""),
}
"""Words before it that turn a kind into something about no person: `error_message`."""
RECORDS = lexicon("""
    event events list lists log logs ping pings position positions ride rides session sessions
    trip trips visit visits
""")
"""Last words of tables whose rows are what somebody did, or entries about people."""
MACHINES = lexicon("""
    cluster clusters database databases gateway gateways host hosts instance instances machine
    machines node nodes router routers server servers
""")
"""Last words of tables whose addresses are of machines."""
NUMBERS = lexicon("no nr num number nummer numero")
OF_DOCUMENTS = lexicon("""
    batch booking build case commande facture flight invoice issue job lot order parcel part po
    purchase rechnung reference release run serial shipment sku ticket tracking version
""")
"""What is numbered: whatever the number looks like, it is nobody's."""
BODY = lexicon("""
    bmi bpm cholesterol glucose hba heart pressure pulse spo sugar temperature weight
""")
"""Measures of a body, the only numbers among the kinds of health."""
