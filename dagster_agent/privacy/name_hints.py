"""Words of column names that say little alone: `contact`, `account`, `to`.

Written as `name_phrases.STRONG`.
"""

from __future__ import annotations

WEAK = """
name:
    absender, account_name, account_owner, ansprechpersonen, approved_by, approver, assigned_to,
    assigned_user, assignee, attendee, attorney, author, bearbeiter, beneficiario, beneficiary,
    berater, borrower, buyer, caller, case_owner, claimant, client, coach, conseiller, contact,
    counterparty, courier, created_by, customer, destinataire, destinatario, director, doctor,
    driver, empfanger, employee, employee_full, family, first, given, guarantor, guardian,
    guest, heir, holder, host_name_person, inspector, instructor, insured, kunde, last, lawyer,
    lead_owner, line_manager, manager, mitarbeiter, modified_by, naam, name, names, nick, nom,
    nombre, nombre_contacto, nome, nominee, nurse, operator, opportunity_owner, owner,
    passenger, patient, payee, payer, person, physician, recipient, remitter, reporter,
    representante, requester, responsable, reviewer, rider, sales_rep, salesperson, seller,
    sender, signatory, signed_by, signer, speaker, spouse, student, supervisor, surgeon,
    surveyed, teacher, trustee, tutor, updated_by, vendeur, verkaufer, witness, witness_to
phone:
    a_number, b_number, called, called_number, caller, cell, contact, contact_phone_no,
    destination_number, dialed_number, dialled_number, from_number, handy, mobil, mobile,
    origin_number, portable, to_number, whats_app
email:
    account, assignee, bcc, cc, contact, email_id, from, login, mail, owner, recipient,
    reply_to, sender, to, user, user_id, username
geo:
    geo, geom, geometry, location, long, point, position, standort, ubicacion
ip_address:
    address, client, host, origin, remote, source
national_id:
    document_no, document_number, id_no, identifier, sin
username:
    account, alias, discord, facebook, handle, instagram, linkedin, snapchat, tiktok, user
postal_code:
    cap, cp, zip5
free_text:
    answer, beschreibung, body_text, chat, complaint, content, descricao, descripcion,
    description, descrizione, details, explanation, history, inquiry, msg, narrative,
    outcome_notes, post, question, reason, reply, reply_text, review, statement, subject,
    summary, text, texte, transcription, transcripts
date_of_birth:
    geb, nacimiento, naissance, nascimento, nascita
income:
    bonus, commission, earnings, ingresos, pay, payout, rendimento, revenu, salary_amount
bank_account:
    account, blz, compte, conta, conto, cuenta, konto, rib
tax_id:
    ein, ust
license_plate:
    plate, registration
device_id:
    cookie_id, device, serial, serial_number, uuid
credit_card:
    card, carte, cc, karte
address:
    abholort, addr1, addr2, bill_to, cidade, citta, city, ciudad, deliver_to, delivery_point,
    destination, drop_off, dropoff, lieferort, line1, line2, location, ort, pick_up, residence,
    ship_to, stadt, town, via, ville
gender:
    geschl, kon, m_f, title
credential:
    code, hash, key
"""
"""Believed only when the values or the table agree."""
