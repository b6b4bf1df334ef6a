import type { Migration } from './migration.ts'

export const auditLog: Migration = {
  name: '0010-audit-log',
  up: `
-- Patients who were erased from the log, as the lookup of their commitment: what was queued of one gets commitments that nobody keeps.
create table audit_erased (patient text primary key, at bigint not null);
-- The log's verifier keys (C2SP vkey) in the order of their use. handover: the checkpoint that this key and the one before both signed.
create table audit_key (vkey text primary key, n int not null unique, from_size bigint not null, at bigint not null, handover text);
-- How far the log was checked against its hashes, in rounds over all of it.
create table audit_checked (one boolean primary key default true check (one), next_idx bigint not null, at bigint not null);
-- Nobody asks the queue for a patient: the log answers that.
drop index audit_queue_patient;
-- Rows come and go by the thousand: without this, dead ones make every look at the queue slower until the next vacuum.
alter table audit_queue set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1);
`,
}
