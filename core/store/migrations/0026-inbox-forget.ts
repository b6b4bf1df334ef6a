import type { Migration } from './migration.ts'

export const inboxForget: Migration = {
  name: '0026-inbox-forget',
  up: `
-- Its content was destroyed or hidden while somebody still had to handle it: nothing of it stays once that is done.
alter table inbox add column forget boolean not null default false;
`,
}
