import type { Migration } from './migration.ts'

export const commands: Migration = {
  name: '0005-commands',
  up: `
-- Whom a direct chat is with.
alter table room add column peer text;
create index room_peer on room (peer) where class = 'direct' and archived_at is null;
alter table approval add column decision text check (decision in ('approved','rejected','replaced'));
alter table approval add column self boolean not null default false;
create index approval_open on approval (requested_by, requested_at) where decided_at is null;
`,
}
