import type { Migration } from './migration.ts'

export const auditAlerts: Migration = {
  name: '0008-audit-alerts',
  up: `
-- Keyed hashes of normalised surnames: only whether two people share one can be told from them.
alter table person add column surnames text[];
create table staff_surname (user_id text primary key, surnames text[] not null, seen_at bigint not null);
-- Who of the staff is in which care room, as the homeserver reported it last.
create table care_member (room_id text not null, user_id text not null, membership text not null, at bigint not null, primary key (room_id, user_id));
-- What a rule's parameters were set to; a parameter that is not here has the value that the code gives it.
create table alert_rule (rule text not null, param text not null, value text not null, changed_at bigint not null, changed_by text not null, primary key (rule, param));
create table alert_rule_history (
  id bigint generated always as identity primary key, rule text not null, param text not null, before text, after text,
  changed_at bigint not null, changed_by text not null
);
-- idx: the first entry that the rules have not seen.
create table alert_cursor (name text primary key, idx bigint not null);
-- One row for what a rule found; what it finds again soon afterwards about the same thing only counts up. key and about hold commitments and staff, never a patient.
create table alert (
  id bigint generated always as identity primary key, rule text not null, severity text not null, key text not null, about jsonb not null,
  first_idx bigint, last_idx bigint, count int not null, first_at bigint not null, last_at bigint not null, cleared_at bigint,
  said_count int not null default 0, event_id text
);
create index alert_open on alert (rule, key, id) where cleared_at is null;
create index alert_recent on alert (last_at);
-- How each place outside of this database that holds checkpoints is doing.
create table pin_place (place text primary key, ok_at bigint, ok_size bigint, failing_since bigint, error text);
-- Other hospitals' logs, as their checkpoints in the shared room show them. vkey: the key that was seen first.
create table peer_log (origin text primary key, vkey text not null, size bigint not null, root bytea not null, at bigint not null, note text not null, sender text not null);
create table peer_checkpoint (
  origin text not null, size bigint not null, root bytea not null, at bigint not null, note text not null, sender text not null, proven boolean not null,
  primary key (origin, size)
);
-- The cross-signing identity of each user of ours, as it was seen first.
create table own_identity (user_id text primary key, master_key text not null, seen_at bigint not null);
-- Devices of our users that we did not make, and ('identity') other identities than the first, from when they are seen until they are gone.
create table foreign_device (user_id text not null, device_id text not null, seen_at bigint not null, reported_at bigint, primary key (user_id, device_id));
`,
}
