import type { Migration } from './migration.ts'

export const exports: Migration = {
  name: '0017-exports',
  up: `
-- An eDiscovery export or a patient's copy: matter (why) is sealed. lapses_at: until when it may be approved, then until when it may be run. file_sha256,
-- manifest_sha256: what was handed over.
create table export_request (
  id text primary key, about text not null check (about in ('room','user','patient')), room_id text, user_id text, patient_id text,
  since bigint, until bigint not null, copy boolean not null, recipients text[] not null, matter text not null,
  state text not null check (state in ('requested','approved','expired','cancelled','done')),
  requested_at bigint not null, requested_by text not null, approved_at bigint, approved_by text, lapses_at bigint not null,
  closed_at bigint, closed_by text, runs int not null default 0, file_sha256 text, manifest_sha256 text, counts jsonb
);
create index export_request_open on export_request (lapses_at) where state in ('requested','approved');
-- The rooms of an approved export: each is told before anybody reads; untold: why nobody of ours could say it there.
create table export_room (
  export_id text not null references export_request, room_id text not null, class text not null, patient_id text,
  told_at bigint, untold text, primary key (export_id, room_id)
);
-- Devices of patients' ghosts that an export made; each is deleted as soon as it has the keys, or by the sweep after a kill.
create table export_device (
  device_id text primary key, export_id text not null references export_request, user_id text not null, created_at bigint not null, gone_at bigint
);
create index export_device_there on export_device (created_at) where gone_at is null;
`,
}
