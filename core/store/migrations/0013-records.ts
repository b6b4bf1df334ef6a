import type { Migration } from './migration.ts'

export const records: Migration = {
  name: '0013-records',
  up: `
-- One row an event with content, in any room: what retention, recall and holds decide about. Never the content.
create table record (
  event_id text primary key, room_id text not null, class text not null check (class in ('care','staff','direct','role','desk')),
  sender text not null, patient_id text, sent_at bigint not null, labels text[] not null default '{}',
  -- The event that this one replaces: an edit goes with what it edits.
  edits text,
  -- The Megolm session of its ciphertext, for destroying keys and for proving that nothing is left.
  session_id text,
  read_at bigint, recalled_at bigint, recalled_by text, removed_at bigint, removed_by text,
  -- doomed_at: the point of no return, committed before anything is destroyed; rule: which rule decided.
  hidden_at bigint, doomed_at bigint, rule jsonb, run_id text, destroyed_at bigint
);
create index record_by_room on record (room_id, sent_at);
create index record_by_sender on record (sender, sent_at);
create index record_by_patient on record (patient_id, sent_at) where patient_id is not null;
create index record_edits on record (edits) where edits is not null;
create index record_unread on record (room_id, sent_at) where read_at is null and destroyed_at is null;
create index record_doomed on record (doomed_at) where doomed_at is not null and destroyed_at is null;
create index record_leaving on record (event_id) where (recalled_at is not null or removed_at is not null) and destroyed_at is null;
-- Of a room: when somebody last wrote, when its patient was discharged, labels of everything in it.
create table record_room (
  room_id text primary key, active_at bigint not null, discharged_at bigint, labels text[] not null default '{}'
);
create table retention_policy (
  id text primary key, scope text not null check (scope in ('label','user','room','class','organisation')), about text not null default '',
  basis text not null check (basis in ('sent','activity','discharge','read')), keep_ms bigint, minimum boolean not null default false,
  set_at bigint not null, set_by text not null, approved_by text, unique (scope, about, minimum)
);
create table retention_history (
  id bigint generated always as identity primary key, scope text not null, about text not null, minimum boolean not null,
  before jsonb, after jsonb, changed_at bigint not null, changed_by text not null, approved_by text
);
-- matter: why, sealed.
create table legal_hold (
  id text primary key, room_id text, user_id text, patient_id text, since bigint, until bigint, matter text not null,
  placed_at bigint not null, placed_by text not null, released_at bigint, released_by text, approved_by text,
  check (coalesce(room_id, user_id, patient_id) is not null)
);
create index legal_hold_live on legal_hold (placed_at) where released_at is null;
`,
}
