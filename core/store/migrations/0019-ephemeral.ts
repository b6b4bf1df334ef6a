import type { Migration } from './migration.ts'

export const ephemeral: Migration = {
  name: '0019-ephemeral',
  up: `
-- What lives shortly because its people said so: a whole room from then on (event_id is null), or one message. label: what its records carry, and what a
-- retention policy of that label acts on.
create table ephemeral (
  id text primary key, room_id text not null, event_id text, label text not null, set_by text not null, set_at bigint not null,
  ended_by text, ended_at bigint
);
create unique index ephemeral_live on ephemeral (room_id, coalesce(event_id, '')) where ended_at is null;
-- A recall by reaction has no chat for its answer yet: it goes to whoever asked.
alter table recall alter column chat drop not null, alter column thread drop not null;
-- The place in the audit queue of the event that says that it is gone: what a certificate proves.
alter table record add column destroy_entry bigint;
create index record_by_run on record (run_id) where run_id is not null;
create table deletion_certificate (run_id text primary key, at bigint not null);
insert into record_room (room_id, active_at, discharged_at)
  select room_id, closed_at, closed_at from patient where closed_at is not null and room_id is not null
  on conflict (room_id) do update set discharged_at = excluded.discharged_at;
`,
}
