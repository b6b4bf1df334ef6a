import type { Migration } from './migration.ts'

export const texts: Migration = {
  name: '0004-texts',
  up: `
-- Version 0 of every template is in the code; these came by chat. At most one version is approved and not retired.
create table template (
  name text not null, lang text not null, version int not null, body text not null,
  state text not null check (state in ('proposed','approved','retired')), proposed_by text not null, proposed_at bigint not null,
  approved_by text, approved_at bigint, retired_at bigint, primary key (name, lang, version)
);
create unique index template_in_force on template (name, lang) where state = 'approved';
-- One outgoing SMS; its words are made from the template when it is sent, the number and the link are in the sealed outbox payload only.
create table text_message (
  id text primary key, person_id text, patient_id text, phone_lookup text not null, link_id text, notice_id text,
  class text not null, urgent boolean not null default false,
  template text not null, template_version int not null, lang text not null, segments int not null default 1,
  state text not null check (state in ('pending','sending','sent','delivered','failed','unknown')),
  provider text, provider_id text unique, error_code text, error_class text,
  created_at bigint not null, begun_at bigint, sent_at bigint, done_at bigint
);
create index text_person on text_message (person_id, created_at);
create index text_number on text_message (phone_lookup, template, created_at);
create index text_silent on text_message (sent_at) where state = 'sent';
-- One incoming SMS; number and body sealed, and only until the care room's job has them.
create table inbound_text (
  provider_id text primary key, phone_lookup text not null, phone text, body text, media int not null default 0,
  provider_answered boolean not null default false, received_at bigint not null,
  meaning text not null, person_id text, waits boolean not null default false, done_at bigint, deleted_at_provider bigint
);
create index inbound_waits on inbound_text (phone_lookup, received_at) where waits;
-- One number for several patients: what was asked, and what was answered for the next minutes (row 126).
create table inbound_choice (
  phone_lookup text primary key, options jsonb not null, asked_at bigint not null, chosen text, chosen_until bigint
);
-- Numbers that the carriers say cannot get texts.
create table bad_number (phone_lookup text primary key, class text not null, since bigint not null);
-- What a clinician wrote that a patient has not read yet: the closed loop's state.
create table notice (
  id text primary key, patient_id text not null, person_id text not null, room_id text not null, event_id text not null, sender text not null,
  sent_at bigint not null, text_id text, link_id text,
  state text not null check (state in ('waiting','texted','delivered','opened','verified','read','answered','failed','expired','withdrawn')),
  failure text, reminders int not null default 0, next_at bigint, updated_at bigint not null, task_at bigint
);
create unique index notice_event on notice (event_id, person_id);
create index notice_open on notice (person_id) where state in ('waiting','texted','delivered','opened','verified');
create table notice_mark (notice_id text not null, mark text not null, event_id text, at bigint not null, primary key (notice_id, mark));
`,
}
