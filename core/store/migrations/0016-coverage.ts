import type { Migration } from './migration.ts'

export const coverage: Migration = {
  name: '0016-coverage',
  up: `
-- Key backups of the records bot. The private key is sealed to the officers alone and was never written in clear; version: null until the homeserver has it.
create table key_escrow (
  public_key text primary key, owner text not null, version text, sealed_private text not null, created_at bigint not null
);
-- Rooms of the staff's own making, as far as the records bot is concerned. impossible: why it could not be added. unread: messages whose key never came.
create table room_coverage (
  room_id text primary key, class text not null check (class in ('staff','direct')),
  state text not null check (state in ('seen','invited','covered','left','impossible')), reason text, unread int not null default 0, changed_at bigint not null
);
-- A Megolm session of a covered room, from message n on (the ratchet only goes forward): what was read cannot be read again. state: sealed.
-- ahead: the next message after the latest that was read out of turn, since when.
create table record_session (
  room_id text not null, session_id text not null, n int not null, state text not null, used_at bigint not null, ahead int, ahead_at bigint,
  primary key (room_id, session_id)
);
-- Which file a message carries (mxc as server/id), and which messages are known to carry none but these. Never the content.
create table record_media (event_id text not null, mxc text not null, primary key (event_id, mxc));
create index record_media_by_mxc on record_media (mxc);
create table record_opened (event_id text primary key);
create index session_upload_person on session_upload (person_id, at);
`,
}
