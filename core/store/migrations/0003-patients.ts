import type { Migration } from './migration.ts'

export const patients: Migration = {
  name: '0003-patients',
  up: `
create table patient (
  id text primary key, code text not null unique, state text not null check (state in ('enrolling','open','closed','failed')),
  room_id text unique, service_user text unique, service_secret text, unit text not null default 'main', lang text not null default 'en',
  name text, created_at bigint not null, created_by text not null, ready_at bigint, closed_at bigint
);
-- One row for the patient and for each caregiver: own number, birth date, consent, ghost and K.
create table person (
  id text primary key, patient_id text not null references patient, kind text not null check (kind in ('patient','caregiver')),
  phone text not null, phone_lookup text not null, dob text not null, name text, lang text not null default 'en', pin text,
  ghost text unique, k text, dehydrated_device text, preference text not null default 'sms' check (preference in ('sms','phone','portal','none')),
  tries int not null default 0, locked_at bigint, created_at bigint not null, removed_at bigint
);
create index person_phone on person (phone_lookup) where removed_at is null;
create table consent (
  id text primary key, person_id text not null references person, scope text not null, version int not null, text_hash text not null,
  method text not null check (method in ('written','verbal','page')), recorded_by text not null, recorded_at bigint not null,
  revoked_at bigint, revoked_by text
);
create unique index consent_live on consent (person_id, scope) where revoked_at is null;
-- STOP stops a number, whoever shares it.
create table stopped_number (phone_lookup text primary key, stopped_at bigint not null, by text not null);
create table link (
  id text primary key, person_id text not null references person, patient_id text not null, token_hash text not null unique, reason text not null,
  created_at bigint not null, expires_at bigint not null, tapped_at bigint, opened_at bigint, binding_hash text, bound_at bigint,
  used_at bigint, withdrawn_at bigint, withdrawn_reason text
);
create index link_person on link (person_id, created_at);
-- What one browser has proved of one link so far, before there is a session.
create table link_attempt (
  link_id text not null references link, binding_hash text not null, passed text[] not null default '{}', at bigint not null,
  primary key (link_id, binding_hash)
);
create table sms_code (person_id text primary key references person, code_hash text not null, expires_at bigint not null, tries int not null default 0);
-- device_id is the browser's present Matrix device, null after it said that it leaves; seen_at: the person's last act; polled_at: the page's last sync.
create table session (
  id text primary key, link_id text not null references link, person_id text not null references person, patient_id text not null,
  cookie_hash text not null unique, csrf_hash text not null, device_id text, user_id text not null, room_id text not null,
  started_at bigint not null, seen_at bigint not null, polled_at bigint, verified_at bigint not null, idle_ms bigint not null, reauth_ms bigint not null,
  ended_at bigint, end_reason text, origin jsonb
);
create unique index session_live on session (person_id) where ended_at is null;
-- Every device that a session ever made; it is deleted at the homeserver once the session has ended or moved to another one.
create table session_device (
  device_id text primary key, session_id text not null references session, user_id text not null, created_at bigint not null, gone_at bigint
);
create index session_device_there on session_device (session_id) where gone_at is null;
-- Media that patients uploaded, so that no other patient's session can fetch them.
create table session_upload (
  media text primary key, session_id text not null, person_id text not null, patient_id text not null, bytes bigint not null, at bigint not null
);
create index session_upload_patient on session_upload (patient_id);
-- Rate limits that survive a restart: one row per bucket.
create table rate_bucket (name text primary key, tokens double precision not null, at bigint not null);
`,
}
