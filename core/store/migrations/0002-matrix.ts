import type { Migration } from './migration.ts'

export const matrix: Migration = {
  name: '0002-matrix',
  up: `
-- A bot's IndexedDB, record by record: key is a keyed hash; value holds key and value, encrypted by the SDK under the storage key and sealed once more.
create table crypto_record (
  bot text not null, db text not null, store text not null, key text not null, value text not null, epoch bigint not null,
  written_at bigint not null, primary key (bot, db, store, key)
);
create table crypto_schema (bot text not null, db text not null, version int not null, stores jsonb not null, epoch bigint not null, primary key (bot, db));
-- beat: counted up here first and then at the homeserver; if it is higher there, this database is an old one.
create table bot_device (
  bot text primary key, device_id text not null, identity_key text, master_key text, secrets text, created_at bigint not null,
  beat bigint not null default 0
);
-- Rooms that Wardroom made or joined, and what they are for.
create table room (
  room_id text primary key, class text not null check (class in ('care','desk','direct','staff','role','space','alert')),
  patient_id text, unit text, created_at bigint not null, created_by text not null, archived_at bigint
);
-- Pictures of ours in the homeserver's media store, uploaded once.
create table asset (name text primary key, mxc text not null);
`,
}
