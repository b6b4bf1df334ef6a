import type { Migration } from './migration.ts'

export const admin: Migration = {
  name: '0009-admin',
  up: `
-- A one-time link to the administrators' page; of its token only the hash.
create table admin_link (
  id text primary key, user_id text not null, token_hash text not null unique, created_at bigint not null, expires_at bigint not null,
  used_at bigint, withdrawn_at bigint
);
create index admin_link_open on admin_link (user_id) where used_at is null and withdrawn_at is null;
-- A browser that is signed in there. verified_at + reauth_ms is the absolute end.
create table admin_session (
  id text primary key, user_id text not null, link_id text not null references admin_link (id), cookie_hash text not null unique,
  started_at bigint not null, seen_at bigint not null, verified_at bigint not null, idle_ms bigint not null, reauth_ms bigint not null,
  ended_at bigint, end_reason text, origin jsonb not null
);
-- One session a person.
create unique index admin_session_live on admin_session (user_id) where ended_at is null;
`,
}
