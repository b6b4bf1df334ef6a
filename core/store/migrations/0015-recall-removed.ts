import type { Migration } from './migration.ts'

export const recallRemoved: Migration = {
  name: '0015-recall-removed',
  up: `
-- Whether one of our users could remove the message in its room, which is what people's clients and other servers act on.
alter table recall add column removed boolean;
`,
}
