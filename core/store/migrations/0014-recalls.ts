import type { Migration } from './migration.ts'

export const recalls: Migration = {
  name: '0014-recalls',
  up: `
-- What people do not see any more and a hold or a minimum still binds: the encrypted event as the homeserver had it, sealed once more. Goes with the event.
create table record_copy (event_id text primary key references record on delete cascade, copy text not null, at bigint not null);
-- Who asked for a recall, and where the answer stands; servers: the other homeservers that were asked.
create table recall (
  event_id text primary key references record on delete cascade, asked_by text not null, asked_at bigint not null, chat text not null, thread text not null,
  servers text[], told text check (told in ('gone','hidden')), told_at bigint
);
`,
}
