import type { Migration } from './migration.ts'

export const holdDates: Migration = {
  name: '0030-hold-dates',
  up: `
-- A stretch of time alone is a hold as well (row 49).
alter table legal_hold drop constraint legal_hold_check,
  add constraint legal_hold_check check (coalesce(room_id, user_id, patient_id) is not null or coalesce(since, until) is not null);
`,
}
