import type { Migration } from './migration.ts'

export const patientExit: Migration = {
  name: '0022-patient-exit',
  up: `
-- The end of a patient's record (row 53): asked for by two people, or let go by the rules. begun_at: the point of no return, after which every key is destroyed.
create table patient_exit (
  patient_id text primary key references patient, requested_at bigint, requested_by text, approved_by text,
  run_id text unique, rule jsonb, begun_at bigint, done_at bigint
);
create index patient_exit_under_way on patient_exit (begun_at) where begun_at is not null and done_at is null;
-- What is to be destroyed, each with its entry in the audit queue: what the certificate proves. owner: the person, or the patient.
create table patient_exit_part (
  run_id text not null references patient_exit (run_id), what text not null, owner text not null, done_at bigint, entry bigint,
  primary key (run_id, what, owner)
);
`,
}
