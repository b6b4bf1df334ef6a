import type { Migration } from './migration.ts'

export const auditQuestions: Migration = {
  name: '0021-audit-questions',
  up: `
-- A month's reports count hundreds of thousands of acts of the staff: these answer them without the entries themselves, whose leaves are long.
create index audit_entry_acts on audit_entry (at) include (idx, action, outcome, actor_ref, patient_ref) where actor_kind = 'user' and patient_ref is not null;
create index audit_entry_looks on audit_entry (at) include (action, outcome, actor_ref, object_ref) where actor_kind = 'user' and patient_ref is null;
-- What was done in a stretch of time, by kind and outcome, without the entries themselves.
drop index audit_entry_at;
create index audit_entry_at on audit_entry (at) include (idx, action, outcome);
-- What was refused or failed is rare: without this a question for it reads the whole log.
create index audit_entry_in_vain on audit_entry (outcome, idx) where outcome <> 'done';
`,
}
