"""Phrases of column names by kind, in English, German, French, Spanish, Portuguese and Italian.

Each block is a kind, a colon, and its phrases; `_` stands between the words of one.
"""

from __future__ import annotations

STRONG = """
email:
    adresse_email, adresse_mail, alternate_mail, correo, correo_electronico, courriel, e_mail,
    e_mail_addr, e_mail_address, e_post, e_post_adresse, email, email_addr, email_address,
    email_id, emailadresse, emails, endereco_email, indirizzo_email, mail, mail_addr,
    mail_address, mail_adresse, mail_id, mailadresse, reply_to_email
phone:
    callback_number, caller_id, caller_number, calling_number, cell, cell_no, cell_number,
    cell_phone, cellphone, cellulare, celular, contact_no, contact_number, fax, faxnummer,
    festnetz, fijo, fone, gsm, handy, handy_nr, handynummer, landline, mobil, mobile,
    mobile_no, mobile_nr, mobile_number, mobile_phone, mobilnummer, mobiltelefon, movil,
    msisdn, numero_de_telephone, numero_mobile, numero_portable, numero_telephone, phone,
    phone_no, phone_nr, phone_number, phones, portable, rufnummer, sms_number, tel, tel_no,
    tel_nr, telefon, telefon_nr, telefone, telefonnummer, telefono, telefono_movil, telemovel,
    telephone, telephone_number, telf, tlf, whatsapp, whatsapp_no, whatsapp_number
name:
    account_holder, achternaam, agent_name, ansprechpartner, apellido, apellido_materno,
    apellido_paterno, apellidos, applicant_name, artist_real_name, assignee_name,
    attending_doctor, attending_physician, author_name, beneficial_owner, beneficiary_name,
    billing_name, birth_name, borrower_name, buyer_name, caller_name, candidate_name,
    card_holder, card_name, cardholder, cardholder_name, child_name, claimant_name, client_name,
    cognome, contact_full_name, contact_name, contact_person, counterparty_holder, crew_name,
    customer_name, doctor_name, donor_name, driver_name, emergency_contact,
    emergency_contact_name, emergency_contact_person, employee_name, f_name, familienname,
    family_name, father_name, first_name, firstname, fname, forename, full_name, fullname,
    geburtsname, given_name, guardian_name, guest_name, holder_name, imie, in_case_of_emergency,
    inhaber, instructor_name, insured_name, kontaktperson, kontoinhaber, kundenname, l_name,
    last_name, lastname, lawyer_name, lead_full_name, lead_name, legal_guardian, legal_name,
    line_manager_name, lname, maiden_name, manager_name, member_name, middle_initial,
    middle_name, mitarbeitername, mname, mother_name, mothers_maiden_name, nachname, name_first,
    name_last, name_on_card, nazwisko, next_of_kin, nom_client, nom_complet, nom_de_famille,
    nom_employe, nom_famille, nom_naissance, nom_patient, nom_prenom, nom_salarie, nom_usage,
    nombre_cliente, nombre_completo, nombre_paciente, nombre_titular, nombres, nome_cliente,
    nome_completo, nome_paziente, nome_utente_completo, nominativo, notfallkontakt, owner_name,
    parent_name, passenger_name, patient_name, payee_name, payer_name, person_name,
    physician_name, player_name, policy_holder, policyholder, preferred_name, prenom,
    prenom_nom, primer_apellido, primer_nombre, recipient_name, remitter_name, rep_name,
    resident_name, reviewer_name, rufname, sales_rep_name, segundo_apellido, segundo_nombre,
    seller_name, sender_name, shipping_name, sobrenome, speaker_name, spouse_name, staff_name,
    student_name, subscriber_name, supervisor_name, surgeon, surname, teacher_name, tenant_name,
    titulaire, titular, treating_doctor, treating_physician, user_full_name, visitor_name,
    voornaam, vorname, voter_name, witness_name, worker_name, zuname
address:
    addr, addr_line, address, address1, address2, address_full, address_line, address_text,
    addresses, adres, adresse, adresse_complete, adresse_facturation, adresse_livraison,
    adresse_postale, anschrift, apartment, bairro, bill_to_address, billing_address, calle,
    calle_numero, complemento, current_address, delivery_address, direccion, domicile,
    domicilio, endereco, full_address, hausnr, hausnummer, home_address, house_no,
    house_number, indirizzo, lieferadresse, lieferanschrift, logradouro, mail_to_address,
    mailing_address, permanent_address, postal_address, rechnungsadresse, rechnungsanschrift,
    registered_address, residence, residence_address, rua, rue, ship_to_address,
    shipping_address, str_nr, straat, strasse, strasse_nr, street, street_1, street_address,
    street_name, street_number, ulica, wohnadresse, wohnort, work_address
postal_code:
    billing_zip, cep, cod_postal, code_postal, codice_postale, codigo_postal, eircode,
    home_zip, kode_pos, plz, post_cd, post_code, postal_code, postalcode, postcode,
    postleitzahl, zip, zip4, zip5, zip_code, zip_plus4, zipcode
date_of_birth:
    annee_naissance, anniversaire, bdate, birth, birth_date, birth_day, birth_dt, birth_month,
    birth_year, birthdate, birthday, birthdt, born, born_on, cumpleanos, d_o_b,
    data_de_nascimento, data_di_nascita, data_nascimento, data_nascita, date_birth,
    date_de_naissance, date_naiss, date_naissance, date_of_birth, dob, dt_nascimento, dtnasc,
    f_nacimiento, fec_nac, fecha_de_nacimiento, fecha_nac, fecha_nacimiento, geb, geb_dat,
    geb_datum, gebdat, geburtsdat, geburtsdatum, geburtsjahr, geburtstag, nacimiento,
    naissance, nascimento, nascita, year_of_birth, yob
national_id:
    aadhaar, aadhar, ahv, ahv_nummer, amka, aufenthaltstitel, ausweis_nr, ausweisnummer,
    bilhete_identidade, bsn, carnet_conducir, carta_identita, cartao_cidadao, carte_d_identite,
    carte_identite, cedula, citizen_id, citizenship_number, cni, cnp, cpf, cpr, cpr_number,
    cuil, curp, dl_number, dni, doc_id_number, document_id, documento_identidad, driver_licence,
    driver_license, driver_license_number, drivers_license, drivers_license_number,
    driving_licence, driving_licence_number, driving_license, driving_license_number, egn,
    fodselsnummer, fuehrerschein, fuhrerschein, fuhrerscheinnummer, gov_id, government_id,
    health_card_number, health_insurance_number, hetu, hkid, id_card, id_card_number, id_number,
    identity_card, immigration_number, insee, insurance_member_id, insurance_member_no,
    insurance_member_number, insurance_number, jmbg, krankenversicherungsnummer, licence_number,
    licencia_conducir, license_number, medicaid_id, medicare_id, medicare_number, military_id,
    mykad, national_id, national_id_number, national_identifier, national_insurance,
    national_insurance_number, natl_id, nhs_number, nie, nik, nin, nino, nir, nric, nss,
    num_secu, numero_cpf, numero_documento, numero_identidad, numero_identificacion,
    numero_insee, numero_securite_sociale, nuss, oib, patente_guida, permis_conduire,
    personal_id, personal_number, personalausweis, personnummer, pesel,
    rentenversicherungsnummer, residence_permit, rg, rodne_cislo, rut, rvnr, securite_sociale,
    service_number, sin_number, snils, soc_sec, soc_sec_no, social_insurance_number,
    social_sec_number, social_security, social_security_no, social_security_number,
    sozialvers_nr, sozialversicherungsnummer, ssn, ssn_number, student_id_number, sv_nr,
    sv_nummer, svnr, taxpayer_ssn, versichertennummer, versicherungsnummer, visa_number,
    voter_id
passport:
    numero_pasaporte, numero_passaporto, numero_passeport, pasaporte, pass_nr, pass_number,
    passaporte, passaporto, passeport, passnummer, passport, passport_document, passport_id,
    passport_no, passport_nr, passport_num, passport_number, reisepass, reisepassnummer,
    travel_document, travel_document_number
credit_card:
    card_no, card_nr, card_num, card_number, card_pan, card_security_code, card_token_pan,
    cardnumber, carta_credito, cartao_credito, carte_bancaire, carte_credit, cc, cc_cvv,
    cc_nbr, cc_no, cc_num, cc_number, ccnum, credit_card, credit_card_number, creditcard,
    creditcardnumber, cvc, cvv, debit_card, karten_nr, kartennummer, kreditkarte,
    kreditkartennummer, num_carte, num_tarjeta, numero_carta, numero_cartao, numero_carte,
    numero_carte_bancaire, numero_tarjeta, pan, payment_card, payment_card_number,
    primary_account_number, security_code, tarjeta, tarjeta_credito
iban:
    iban, iban_code, iban_no, iban_nr, iban_num, iban_number
bank_account:
    aba, aba_number, acc_no, acc_number, account_no, account_nr, account_number, acct_no,
    acct_number, acctnum, bank_acc, bank_account, bank_account_no, bank_account_number,
    bank_details, bankverbindung, beneficiary_account, bic, bsb, cbu, checking_account, clabe,
    compte_bancaire, conta_bancaria, conto_corrente, cuenta, cuenta_bancaria, deposit_account,
    ifsc, ifsc_code, konto_nr, kontonr, kontonummer, kto, kto_nr, ktonr, numero_compte,
    numero_conta, numero_conto, numero_cuenta, numero_de_compte, numero_de_cuenta,
    payout_account, rib, routing_number, sort_code, swift, swift_code
ip_address:
    adresse_ip, client_ip, dest_ip, destination_ip, direccion_ip, host_ip, inet_addr, ip,
    ip_addr, ip_address, ip_v4, ip_v6, ipaddr, ipaddress, ipv4, ipv6, login_ip, origin_ip,
    peer_ip, registration_ip, remote_addr, remote_address, request_ip, signup_ip, source_ip,
    src_ip, user_ip, visitor_ip, x_forwarded_for
device_id:
    aaid, ad_id, adjust_id, advertiser_id, advertising_id, android_id, appsflyer_id,
    bluetooth_mac, browser_fingerprint, bt_mac, cookie_id, device_fingerprint, device_id,
    device_identifier, device_serial, device_uuid, eid, euicc, fingerprint,
    firebase_instance_id, ga_client_id, gaid, geraete_id, geraeteid, gerate_id, hardware_id,
    hwid, iccid, idfa, idfv, imei, imei_number, imsi, installation_id, mac, mac_addr,
    mac_address, mac_addresse, meid, mobile_ad_id, rida, sim_number, tracking_cookie, udid,
    vida, visitor_cookie, wifi_mac, wlan_mac
geo:
    breitengrad, coordinates, coords, current_location, dropoff_location, geo_coordinates,
    geo_lat, geo_lon, geo_point, geohash, geolocation, gps, gps_coordinates, gps_coords,
    gps_location, home_location, laengengrad, langengrad, last_known_location, last_location,
    last_position, lat, lat_lng, lat_lon, lat_long, latitud, latitude, latitude_longitude,
    latitudine, latlng, latlon, lng, lon, longitud, longitude, longitude_latitude, longitudine,
    pickup_location, position_gps, standort_gps, user_location
username:
    alias, anmeldename, author_handle, benutzerkennung, benutzername, discord_handle,
    discord_tag, display_name, facebook_profile, facebook_url, gamer_tag, gamertag,
    github_handle, github_login, github_url, github_username, identifiant, instagram_handle,
    instagram_url, linkedin_url, login, login_name, loginname, logon, logon_name, nick,
    nick_name, nickname, nom_utilisateur, nombre_usuario, nome_usuario, nome_utente,
    nutzerkennung, nutzername, player_tag, profile_link, profile_url, pseudo, psn_id,
    sam_account_name, screen_handle, screen_name, screenname, skype, skype_id, skype_name,
    social_handle, social_link, social_media_handle, social_profile, social_url, steam_name,
    telegram, telegram_handle, twitter, twitter_handle, twitter_url, twitter_username, uname,
    user_alias, user_handle, user_login, user_name, user_nick, username, usuario, xbox_gamertag
gender:
    anrede, biological_sex, civilite, gender, gender_cd, gender_code, gender_identity,
    gender_identity_text, genero, genero_cliente, geschlecht, gndr, maiden_gender, pronouns,
    salutation, sesso, sex, sex_cd, sexe, sexo, titre_civilite
health:
    absence_reason, alergia, alergias, alergias_medicas, allergie, allergien, allergies,
    allergy, antecedents, arzneimittel, befund, behinderung, biometric, biometrics,
    blood_glucose, blood_group, blood_pressure, blood_sugar, blood_type, blutgruppe, bmi,
    body_temperature, body_weight, chief_complaint, cholesterol, chronic_condition,
    condition_medical, covid_status, diagnose, diagnoses, diagnosi, diagnosis, diagnosis_code,
    diagnostic_medical, diagnostico, disability, disability_status, discapacidad, disease,
    disease_name, dna, doenca, dosage, drug_name, drug_prescribed, dx, dx_code, enfermedad,
    face_id, farmaco, fehlgrund, fingerprint_hash, genetic_marker, glucose, grado_discapacidad,
    groupe_sanguin, grupo_sangre, grupo_sanguineo, gruppo_sanguigno, handicap, handicap_type,
    hba1c, hba_c, health_condition, health_issues, health_status, heart_rate, hiv_status, icd,
    icd10, icd9, icd_10, icd_9, icd_code, illness, immunization_status, impfstatus, injury,
    krankenkasse, krankheit, krankheitsgrund, krankmeldung, lab_result, lab_results, maladie,
    malattia, marital_status_medical, medical_condition, medical_conditions, medical_diagnosis,
    medical_history, medical_notes, medical_record, medical_record_number, medicamento,
    medicamentos, medication, medications, medikament, medikamente, medikation, mental_health,
    mrn, pathologie, pregnancy, pregnancy_status, pregnant, prescribed_drug, prescription,
    primary_dx, procedure_code, pulse_rate, resting_heart_rate, schwangerschaft, secondary_dx,
    sick_leave_reason, sick_reason, smoker, smoker_status, smoking_status, snomed_code,
    special_needs, spo, substance_use, surgery, symptoms, terapia, test_result_medical,
    therapie, therapy, tipo_sangue, tipo_sanguineo, traitement, traitement_medical, treatment,
    treatments, vaccination, vaccination_status, vaccine, vaccine_administered, vaccine_status
sensitive:
    caste, citizenship, civil_status, confession, conviction, criminal_history, criminal_record,
    cult, culte, estado_civil, etat_civil, ethnic_group, ethnic_origin, ethnicity, ethnie,
    familienstand, gender_reassignment, gewerkschaft, gewerkschaftsmitglied, glaube,
    immigration_status, konfession, marital_state, marital_status, nacionalidad, nationalitat,
    nationalite, nationality, nazionalita, partei, parteizugehorigkeit, parti_politique,
    partido_politico, party_affiliation, pep_status, political_affiliation, political_leaning,
    political_opinion, political_party, politically_exposed, politically_exposed_person, race,
    religion, religione, religionszugehorigkeit, religious_affiliation, sexual_orientation,
    sexuality, sindacato, sindicato, situation_familiale, staatsangehorigkeit,
    staatsburgerschaft, stato_civile, syndicat, trade_union, tribe, union_member,
    union_membership, union_name_member, vorstrafen
income:
    annual_compensation, annual_income, annual_pay, annual_wage, base_compensation, base_pay,
    base_salary, bonus_amount, bonus_payment, bruttogehalt, bruttolohn, bruttoverdienst,
    commission_amount, compensation, ctc, disposable_income, einkommen, gehalt, gross_income,
    gross_pay, gross_salary, gross_wages, grundgehalt, hourly_wage, household_income,
    household_income_usd, income, ingresos_anuales, jahresbrutto, jahreseinkommen, jahresgehalt,
    lohn, monatsgehalt, monatslohn, monthly_income, monthly_pay, net_pay, net_pay_amount,
    net_salary, net_worth, nettogehalt, nettolohn, nomina, ordenado, pay_rate, payout_salary,
    pension_amount, ral, reddito, remuneration, renda, renda_mensal, retribuzione,
    revenu_annuel, revenus, salaire, salaire_annuel, salaire_brut, salaire_net, salaries,
    salario, salario_base, salario_bruto, salary, stipendio, stundenlohn, sueldo, take_home,
    take_home_pay, total_compensation, wage, wages, yearly_income
tax_id:
    cf, cnpj, codice_fiscale, cuit, fiscal_code, fiscal_number, gst_number, identifiant_fiscal,
    idnr, inn, itin, nif, nif_titular, nit, numero_fiscal, numero_fiscale, numero_nif,
    numero_tva, pan_number, partita_iva, rfc, siren_fiscal, steuer_id, steuer_identnummer,
    steuer_nr, steueridentifikationsnummer, steuernummer, tax_file_number, tax_id,
    tax_identification, tax_identification_number, tax_identifier, tax_no, tax_number, taxid,
    taxpayer_id, taxpayer_number, tfn, tin, ust_id, ust_idnr, ustid, utr, vat_id, vat_no,
    vat_number, vat_reg_no, vat_registration
license_plate:
    amtliches_kennzeichen, car_plate, chapa, immatriculation, kennzeichen, kfz,
    kfz_kennzeichen, kfz_nummer, licence_plate, license_plate, licenseplate, matricula,
    matricula_vehiculo, number_plate, numero_immatriculation, numero_targa, nummernschild,
    nummerplaat, patente_vehiculo, placa, plaque, plaque_immat, plaque_immatriculation, plate,
    plate_no, plate_number, reg_plate, registration_number, registration_plate, targa,
    vehicle_plate, vehicle_reg, vehicle_registration, vehicle_registration_number, vin,
    vin_number
credential:
    access_key, access_secret, access_token, api_credentials, api_key, api_secret, api_token,
    apikey, auth_token, aws_secret_access_key, backup_codes, bearer_token, clave, cle_api,
    client_secret, connection_string, contrasena, contrasenia, credentials, csrf_token,
    device_token, encrypted_password, encryption_key, fcm_token, geheimnis, hashed_password,
    id_token, jwt, kennwort, magic_link, magic_link_token, mfa_secret, mot_de_passe,
    mot_passe, motdepasse, oauth_token, otp, otp_secret, palavra_passe, parola, parola_chiave,
    pass_hash, passcode, passphrase, passwd, passwd_hash, password, password_digest,
    password_hash, passwort, pin, pin_code, pin_hash, pin_number, private_key, push_token,
    pwd, recovery_code, recovery_codes, refresh_token, remember_token, reset_password_token,
    reset_token, salt, schlussel_geheim, secret, secret_access_key, secret_answer, secret_key,
    secret_token, security_answer, security_question_answer, senha, session_token,
    signing_key, ssh_key, ssh_private_key, token, totp_secret, verification_code,
    webhook_secret
free_text:
    agent_comment, agent_notes, anamnese, anamnesis, anmerkung, answer_text, bemerkung,
    bemerkungen, beschwerde, bio, biography, body, call_notes, call_summary, call_transcript,
    case_notes, chat_log, chat_message, chat_text, chat_transcript, clinical_notes, comentario,
    comentarios, comment, commentaire, commentaires, commenti, commento, comments, complaint,
    complaint_text, conversation, conversation_text, customer_comment, customer_message,
    customer_notes, delivery_instructions, delivery_note, doctor_notes, email_body, email_text,
    feedback, free_form, free_text, freetext, freitext, gesprachsnotiz, gesprachsverlauf,
    inquiry, inquiry_text, internal_note, interview_notes, issue_description, kommentar,
    krankengeschichte, kundenkommentar, letter_text, mail_body, mensagem, mensaje,
    mensaje_cliente, message, message_body, message_client, message_text, messaggio, nachricht,
    notas, note, notes, notiz, notizen, nps_comment, observaciones, observacoes, open_answer,
    osservazioni, patient_history, reclamation, reklamationstext, remark, remarks, remarque,
    review_body, review_text, reviewer_comment, sms_text, social_history, special_instructions,
    special_requests, support_message, support_notes, survey_comment, survey_response,
    testo_libero, texte_libre, texto_libre, ticket_body, ticket_description, ticket_text,
    transcript, user_comment, user_feedback, verbatim, verlauf, visit_notes
"""
"""Believed unless the values contradict."""
