import type { Migration } from './migration.ts'

export const audit: Migration = {
  name: '0006-audit',
  up: `
-- The log: one row an entry, contiguous from 0. leaf is the very text that is hashed (RFC 6962); it holds no patient's identifier, only commitments.
-- The other columns repeat parts of it for questions; *_ref is a commitment, or a clear identifier where the leaf has it in clear.
create table audit_entry (
  idx bigint primary key, queue_id bigint not null unique, at bigint not null, action text not null, outcome text not null,
  actor_kind text not null, actor_ref text not null, object_kind text not null, object_ref text not null,
  patient_ref text, room_ref text, leaf text not null
);
create index audit_entry_at on audit_entry (at);
create index audit_entry_action on audit_entry (action, idx);
create index audit_entry_actor on audit_entry (actor_ref, idx);
create index audit_entry_object on audit_entry (object_ref, idx);
create index audit_entry_patient on audit_entry (patient_ref, idx) where patient_ref is not null;
create index audit_entry_room on audit_entry (room_ref, idx) where room_ref is not null;
-- What a commitment stands for: ref = base64url(SHA-256(salt || kind || 0x00 || value)). Deleting the row makes every entry that names it unresolvable
-- for ever, and leaves every proof as it is. lookup: keyed hash of kind and value; patient: the lookup of the patient to whom it belongs.
create table audit_subject (
  ref text primary key, kind text not null, value text not null, sealed boolean not null, lookup text not null unique, salt bytea not null,
  patient text, created_at bigint not null
);
create index audit_subject_patient on audit_subject (patient) where patient is not null;
-- C2SP tlog-tiles: the hashes of one tile, 32 bytes each, at most 256. A partial tile of any smaller width is its beginning.
create table audit_tile (level int not null, n bigint not null, hashes bytea not null, primary key (level, n));
create table audit_checkpoint (size bigint primary key, root bytea not null, at bigint not null, note text not null);
-- Signatures of witnesses (C2SP cosignature/v1), one note line each.
create table audit_cosignature (size bigint not null, witness text not null, line text not null, at bigint not null, primary key (size, witness));
-- Where a checkpoint was put outside this database; what was seen there later must be consistent with it.
create table audit_pin (
  place text not null, size bigint not null, root bytea not null, at bigint not null, note text not null, primary key (place, size)
);
-- Entries before this index were pruned after the retention period; their tiles above level 0 stay.
create table audit_pruned (one boolean primary key default true check (one), before_idx bigint not null, at bigint not null);
`,
}
