import type { Migration } from './migration.ts'

export const texts: Migration = {
  name: '0004-texts',
  up: `
create table template (
  name text not null, lang text not null, version int not null, body text not null, class text not null,
  state text not null check (state in ('proposed','approved','retired')), proposed_by text not null, proposed_at bigint not null,
  approved_by text, approved_at bigint, primary key (name, lang, version)
);
-- One outgoing SMS; its words are made from the template when it is sent, the link's token is in the sealed outbox payload only.
create table text_message (
  id text primary key, person_id text, patient_id text, phone_lookup text not null, link_id text, notice_id text,
  template text not null, template_version int not null, lang text not null, segments int not null default 1,
  state text not null check (state in ('pending','sending','sent','delivered','failed','unknown')),
  provider text, provider_id text unique, error_code text, error_class text,
  created_at bigint not null, sent_at bigint, done_at bigint
);
create index text_person on text_message (person_id, created_at);
create table inbound_text (
  provider_id text primary key, phone_lookup text not null, phone text not null, body text, received_at bigint not null,
  meaning text, person_id text, done_at bigint, deleted_at_provider bigint
);
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
