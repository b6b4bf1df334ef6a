import type { Migration } from './migration.ts'

export const core: Migration = {
  name: '0001-core',
  up: `
create table lease (
  name text primary key, holder text not null, epoch bigint not null, expires_at bigint not null
);
-- Raw events from the homeserver. A room's pending rows are handled in the order of id; a parked one steps aside.
-- 'dead' was given up, visibly (audit event.poison). event is JSON, sealed unless it is ciphertext only.
create table inbox (
  id bigint generated always as identity primary key,
  source text not null, event_id text not null, room_id text not null, type text not null, sender text not null,
  origin_server_ts bigint not null, event text not null, sealed boolean not null,
  received_at bigint not null, state text not null default 'pending' check (state in ('pending','parked','done','dead')),
  attempts int not null default 0, due_at bigint not null, park_until bigint, reason text, done_at bigint,
  unique (source, event_id)
);
create index inbox_pending on inbox (source, room_id, id) where state = 'pending';
create index inbox_in_order on inbox (source, id) where state = 'pending';
create index inbox_parked on inbox (source, park_until) where state = 'parked';
create index inbox_finished on inbox (done_at) where done_at is not null;
-- order_at and seq fix a job's place in its lane; due_at moves with every retry.
create table outbox (
  id text primary key, seq bigint generated always as identity, queue text not null, kind text not null, lane text,
  key text unique, payload text not null, patient_id text, order_at bigint not null, due_at bigint not null,
  attempts int not null default 0, errors int not null default 0,
  state text not null default 'pending' check (state in ('pending','done','failed')),
  last_error text, created_at bigint not null, done_at bigint
);
create index outbox_pending on outbox (queue, due_at) where state = 'pending';
create index outbox_lane on outbox (queue, lane, order_at, seq) where state = 'pending' and lane is not null;
create index outbox_finished on outbox (done_at) where done_at is not null;
-- Which steps of a job were begun, and what it wrote down for its next try (value sealed).
create table outbox_step (
  outbox_id text not null references outbox on delete cascade, name text not null, at bigint not null, value text,
  primary key (outbox_id, name)
);
create table sweep (name text primary key, ran_at bigint not null);
create table audit_queue (
  id bigint generated always as identity primary key,
  at bigint not null, action text not null, outcome text not null, actor jsonb not null, object jsonb not null,
  patient text, room text, origin jsonb, reason text, detail jsonb
);
create index audit_queue_patient on audit_queue (patient, id) where patient is not null;
create table role_grant (
  user_id text not null, role text not null, granted_by text not null, granted_at bigint not null,
  identity_key text, suspended_at bigint, suspended_reason text, primary key (user_id, role)
);
create table setting (key text primary key, value jsonb not null, changed_at bigint not null, changed_by text not null);
create table setting_history (
  id bigint generated always as identity primary key, key text not null, before jsonb, after jsonb,
  changed_at bigint not null, changed_by text not null, approved_by text
);
create table approval (
  id text primary key, code_hash text not null unique, kind text not null, payload text not null, summary text not null,
  requested_by text not null, requested_at bigint not null, expires_at bigint not null, room_id text, event_id text,
  decided_by text, decided_at bigint
);
`,
}
