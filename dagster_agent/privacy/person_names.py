"""Whether texts look like names of people, by frequent given names of several languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dagster_agent.privacy.name_words import lexicon

_GIVEN = lexicon("""
    aaron abdul abdullah abigail ada adam adebayo adrian agata agnieszka ahmed ahmet aisha ajay
    aksel alan alana alba albert alejandro aleksander aleksandra alessandro alessia alexander
    alexandra alexis alfred ali alice alma amanda amara amber amelia amina amit amy ana
    anastasia anastasiya anders andre andrea andreas andrei andrew andrzej andré angela angelika
    anil anita anja anjali ann anna anneliese annika anthony antje antoine anton antonella
    antonio anya ariana arjun armando arnaud arne arthur arturo arun ashley ashok astrid augusto
    aurelie ava ayse ayşe baptiste barbara barbora bart bartosz basil beata beatriz benjamin
    bernard bernd bettina betty beverly bianca birgit bjarne bjorn björn bogdan boris bozena
    bram brandon brenda brian brittany bruno burak caio camila camille carl carla carlos carmen
    carol carolina carolyn catalina catarina catherine cecilia celine cem charles charlotte chen
    cheryl chiamaka chiara chidi chinedu chloe chloé christa christina christine christoph
    christopher clara claudia clemence colette colin conor corinne cristian cristina cynthia
    céline daan damian daniel danielle daria dariusz dave david davide deborah debra deepak
    denise deniz dennis diana diane diego dieter dimitri dirk dmitri dolores dominik donald
    donna doreen doris dorota dorothy douglas eduardo edward eirik elena elias elif elijah elisa
    elizabeth ella elsa emil emilia emilio emily emine emma emre enrico eric erik erika ernst
    esra esther ethan eva evelyn ewa fabian fatima fatma federica federico felix femke fernanda
    fernando filip finn fiona fleur florian frances francesca francesco francisco franco
    francois frank françois frederik frida friedrich fritz gabriel gabriela gary georg george
    gerard gerd gert gianluca gintaras giorgia giorgio giovanni gisela giulia giuseppe gloria
    grace gregory grzegorz guillaume gunther gustav gustavo günther hakan halina hamza hanna
    hannah hanne hans harald harold harry haruto hasan hassan hatice heather heike heinrich
    heinz helen helena helga helmut hendrik henrik henry herbert hilde hiroshi holger horst hugo
    ian ibrahim ignacio igor ikram ilse imran ines inga inge ingeborg ingo ingrid inês irena
    irene irina iris isaac isabel isabella isabelle ivan iwona jack jacob jacqueline jakub james
    jan jana jane janet janice jaroslav jason jasper javier jean jeffrey jennifer jeremy jeroen
    jerry jessica jesus jin jing joachim joan joanna joao jochen joel johan johanna johannes
    john jonas jonathan jonathon joost jorge jorn jose josef josefa josefina joseph joshua josip
    joyce joão juan judith judy jules julia julie julien juliette jurgen justin jürgen kacper
    kamil karen karim karin karl karolina kasia katarzyna katherine kathleen kathrin kathryn
    katja katrin kavita kayla keith kelly kemal kenji kenneth kevin khaled kim kimberly klaus
    kofi kristina kristof krzysztof kumar kwame kyle lakshmi larry lars laura lauren lea leif
    leila lena lene leon leonie li liam lieke lin linda ling linus lisa logan lorenzo lori
    lothar louis luca lucas lucia lucía ludovic ludwig luigi luis luisa lukas lukasz madison
    magdalena maike malgorzata manfred manoj manon manuel manuela marc marcel marcin marco
    marcos marek margaret margarita maria mariam mariana marie marilyn marius mark marlene
    marlies marta martha martina mary mason mateus mateusz matteo matthew matthias maurice
    maurizio mauro max maximilian maya małgorzata megan mehmet mei meike melissa mia michael
    michal michał michel michelle miguel mikael mikhail milan ming mirjam mohamed mohammad
    mohammed monika moritz muhammad murat mustafa nadia nadine nancy natalia natalie natalya
    natasha nathalie nathan neha ngozi niamh nicholas nico nicolas nicole niklas nikolai nikos
    nils nina noah noor nora norbert nuno oksana ola olaf ole oleg olga oliver olivia oluwaseun
    omar omer oskar otto oumar ozge pablo pamela paola pascal patricia patricio patrick patrik
    paul paula paulo pavel pawel paweł pedro pekka per peter petra philippe pierre piet pieter
    pilar piotr pooja prakash priya rachel radek rafael rahul rainer raj rajesh ralf ramon
    raphael ravi raymond rebecca regina reiner remi renata renate rene richard rita robert
    roberta roberto rodrigo roger roland roman ronald rosa rosario ruben rudolf rui rune ruth
    ryan sabine sakura samantha samuel sandra sanjay sanne santiago sara sarah sascha saskia
    scott sean sebastian sebastien selin selma serena serge sergei sergey sergio sharon shirley
    sigrid silke silvia simon simona simone siobhan sofia sofía solene solène sonia sonja sophia
    sophie soren stanislav stefan stefania stefano stephan stephanie stephen steven sunita susan
    susana susanne sven svetlana sylvia sylvie szymon søren tadeusz tamara tanja tatiana teodor
    teresa theresa thierry thijs thomas thorsten tiago tim timothy tina tobias tom tomas tomasz
    torsten trevor tyler ulrich ulrike umar ursula ute uwe valentina valerie valérie vanessa
    vasco vera veronica victoria vijay vikram viktor vincent vincenzo virginia vittoria vladimir
    walter waltraud wei werner wiebke wilhelm willem william wojciech wolfgang wouter xavier
    xiaoming xin xiu xiuying yan yann yasmin yasmine ying yolanda yousef yuan yuki yusuf yvonne
    zachary zainab zdenek zeynep zhang zofia zoran zuzanna ömer łukasz
""")
_TITLED = re.compile(
    r"(?i)(?:dr|prof|mr|mrs|ms|miss|mme|mlle|herr|frau|sr|sra|dott|ing|mag|hr|fr)\.?\s+(?=[^\W\d_])"
)
_PARTICLES = lexicon("al da de del della den der di do dos du la le van von y zu")
_COMPANY = re.compile(
    r"(?i)\b(?:inc|llc|ltd|gmbh|ag|kg|corp|corporation|company|co|plc|s\.?a\.?|s\.?r\.?l|bv|b\.v|nv|oy"
    r"|ab|group|holding|holdings|limited|sarl|sas|spa|ev|e\.v|partners|solutions|systems)\b\.?"
)
_PLACES = lexicon("fort lake mount new port saint san santa sao st")
"""First words of places named after people."""
_LIKE_NAME = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:[ ,-]+[^\W\d_][^\W\d_'’.-]*\.?){0,4}")


def looks_like_full_name(value: str) -> bool:
    """Whether it is two to four capitalised words, as names are written."""
    parts = [p for p in value.replace(",", " ").split() if p.lower() not in _PARTICLES]
    return 2 <= len(parts) <= 4 and all(
        part[0].isupper() and _LIKE_NAME.fullmatch(part.rstrip(".")) for part in parts
    )


def share_of_names(values: Sequence[str]) -> float:
    """Share of values that start or end with a frequent given name and look like a name."""
    if not values:
        return 0.0
    return sum(map(_is_name, values)) / len(values)


def share_of_companies(values: Sequence[str]) -> float:
    """Share of values with a legal form: `Acme GmbH`."""
    if not values:
        return 0.0
    return sum(bool(_COMPANY.search(value)) for value in values) / len(values)


def _is_name(value: str) -> bool:
    text = value.strip()
    if titled := _TITLED.match(text):
        text = text[titled.end() :]
    if not 2 <= len(text) <= 60 or not _LIKE_NAME.fullmatch(text) or _COMPANY.search(text):
        return False
    parts = [part.strip(".'’").lower() for part in re.split(r"[ ,-]+", text) if part]
    known = bool(titled and titled[0].strip()) or not _GIVEN.isdisjoint(parts)
    return known and len(parts) <= 4 and parts[0] not in _PLACES
