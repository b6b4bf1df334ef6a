import type { Migration } from './migration.ts'

export const pages: Migration = {
  name: '0024-pages',
  up: `
-- One page, from its creation to its end. state: core/domain/oncall/paging as it is, without a word of the message; next_due and looked_at stand in it too.
-- content (sealed): what the card shows. correlation: a keyed hash. closed_at: when nobody may answer it any more and its reference is free.
create table page (
  id text primary key, ref text not null, priority text not null, phase text not null, state jsonb not null, version int not null default 1,
  source text not null, target text not null, correlation text not null,
  content text, room_id text, event_id text, patient_id text,
  created_at bigint not null, next_due bigint, looked_at bigint not null, changed_at bigint not null, closed_at bigint
);
create unique index page_ref on page (ref) where closed_at is null;
create index page_ref_lately on page (ref, created_at);
create index page_due on page (next_due) where next_due is not null;
create index page_ahead on page (looked_at) where next_due is not null;
create index page_same on page (source, target, created_at);
create index page_alike on page (correlation) where phase <> 'resolved';
create index page_quiet on page (changed_at) where closed_at is null;
create index page_worded on page (changed_at) where content is not null;
-- One contact under the key of its effect. provider_id: an event, a text or a call; room_id: where the card stands.
create table page_contact (
  page_id text not null references page on delete cascade, key text not null, way text not null, person text not null, priority text not null,
  state text not null check (state in ('queued','sending','sent','skipped','answered','failed')),
  at bigint not null, begun_at bigint, sent_at bigint, done_at bigint, provider_id text, room_id text, error text,
  answered_at bigint, over_budget boolean not null default false, first boolean not null default false,
  primary key (page_id, key)
);
create index page_contact_person on page_contact (person, at);
create unique index page_contact_provider on page_contact (provider_id) where provider_id is not null;
-- What happened, in order: news for the sender, answers, refusals of answers.
create table page_news (id bigint generated always as identity primary key, page_id text not null references page on delete cascade, at bigint not null, what jsonb not null);
create index page_news_of on page_news (page_id, id);
-- By how much a machine's wall clock stands before its monotonic one (ms): a difference is a step of the clock, and is taken out of every page once. host: one boot of one machine.
create table page_clock (host text primary key, ahead bigint not null, monotonic bigint not null);
-- Who may raise alarms; the token itself is nowhere.
create table alarm_source (
  id text primary key, name text not null, token_hash text not null unique, target text not null, priority text not null,
  added_at bigint not null, added_by text not null, revoked_at bigint, revoked_by text, used_at bigint
);
create unique index alarm_source_name on alarm_source (name) where revoked_at is null;
-- Alarms by the source's own key: body is a keyed hash, answer what was said the first time.
create table alarm (
  source_id text not null references alarm_source, key text not null, body text not null, page_id text, answer jsonb not null, at bigint not null, primary key (source_id, key)
);
create index alarm_at on alarm (at);
`,
}
