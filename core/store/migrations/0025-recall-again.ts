import type { Migration } from './migration.ts'

export const recallAgain: Migration = {
  name: '0025-recall-again',
  up: `
-- When a recalled message is removed in its room once more, for clients that the first removal did not reach; again: how often it was.
alter table recall add column again_at bigint, add column again int not null default 0;
create index recall_again on recall (again_at) where again_at is not null;
`,
}
