"""Strong phrases in further languages: Polish, Dutch, Czech, Turkish, Indonesian, the Nordic ones.

As `name_phrases.STRONG`, without accents.
"""

from __future__ import annotations

FURTHER = """
email:
    adres_email, adres_mailowy, e_posta, emailova_adresa, eposta, eposta_adresi, epost,
    epostadresse, mejladress, sahkoposti, sahkopostiosoite, surel
phone:
    cep_telefonu, cep_tel, ev_telefonu, komorka, matkapuhelin, mobiel, mobiele_nummer,
    mobiltelefonnummer, mobilnr, mobilni_telefon, no_hp, no_telepon, nomor_telepon, nr_tel,
    nr_telefonu, numer_telefonu, puhelin, puhelinnumero, telefonnr, telefoon, telefoonnummer,
    telefon_numarasi, telefonni_cislo
name:
    ad_soyad, adi_soyadi, efternamn, efternavn, etternavn, etunimi, fornamn, fornavn,
    fullt_namn, imie_i_nazwisko, imie_nazwisko, isim, isim_soyisim, jmeno, keresztnev,
    klantnaam, klant_naam, nama_lengkap, nume, nume_complet, prenume, prijmeni, soyad, soyadi,
    sukunimi, tussenvoegsel, vezeteknev, volledige_naam
address:
    adres_dostawy, adres_zamieszkania, adresi, alamat, bezorgadres, ev_adresi, gateadresse,
    gatuadress, huisnummer, katuosoite, osoite, postadress, straatnaam, teslimat_adresi, ulice,
    woonadres, woonplaats
postal_code:
    irsz, kod_pocztowy, kode_pos, kodpocztowy, posta_kodu, postinumero, postnr, postnummer,
    psc
date_of_birth:
    data_urodzenia, datum_narozeni, data_nasterii, dogum_tarihi, fodelsedatum, fodselsdag,
    fodselsdato, foedselsdato, geboortedatum, geboortejaar, rok_urodzenia, syntymaaika,
    szuletesi_datum, tanggal_lahir, tgl_lahir
national_id:
    burgerservicenummer, dowod_osobisty, henkilotunnus, kimlik_no, nomor_ktp, numer_dowodu,
    numer_pesel, pesel_nr, rijksregisternummer, tc_kimlik, tc_kimlik_no, tckn
license_plate:
    kenteken, kentekennummer, nr_rejestracyjny, numer_rejestracyjny, plaka, plaka_no, regnr,
    registreringsnummer, rekisterinumero, rekisterinumero_auton, spz, tablica_rejestracyjna
gender:
    cinsiyet, geslacht, jenis_kelamin, kjonn, plec, pohlavi, sukupuoli
income:
    arslon, brut_maas, brutoloon, inkomst, jaarsalaris, maandsalaris, maas, manadslon, mzda,
    nettoloon, palkka, pensja, salaris, wynagrodzenie
health:
    alergie, alerji, allergia, allergieen, choroba, diagnos, diagnoza, diagnoosi, hastalik,
    leki, medicijn, medicijnen, przyczyna_nieobecnosci, rozpoznanie, sairaus, sykdom, ziekte
sensitive:
    burgerlijke_staat, medeni_hali, medeni_durum, narodowosc, nationaliteit, obywatelstwo,
    sivilstatus, stan_cywilny, uyruk, wyznanie
tax_id:
    numer_nip, nip, vergi_kimlik_no, vergi_no
username:
    brukernavn, gebruikersnaam, kayttajatunnus, kullanici_adi, nazwa_uzytkownika
free_text:
    aciklamalar, huomautus, kommentarer, merknad, opmerking, opmerkingen, poznamka, uwagi,
    yorum
"""
