import type { Migration } from './migration.ts'

export const homeserverNews: Migration = {
  name: '0012-homeserver-news',
  up: `
-- The newest read receipt of each person in a room (and thread): the homeserver sends one again when it repeats a transaction.
create table receipt_seen (
  room_id text not null, user_id text not null, thread text not null, event_id text not null, at bigint not null, primary key (room_id, user_id, thread)
);
-- Devices and identities as they were seen last; what differs is an event of the log. identity: the public cross-signing master key.
create table device_seen (user_id text primary key, devices text[] not null, identity text, at bigint not null);
`,
}
