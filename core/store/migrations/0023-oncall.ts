import type { Migration } from './migration.ts'

export const oncall: Migration = {
  name: '0023-oncall',
  up: `
-- A role that people write to: who is on duty for it (layers: the schedule's own, as core/domain/oncall/schedule has them) and how its pages escalate (policy).
create table oncall_role (
  key text primary key, name text not null, unit text not null, user_id text not null unique,
  zone text not null, fallback text not null, layers jsonb not null, policy jsonb not null, version int not null,
  created_at bigint not null, created_by text not null, changed_at bigint not null, changed_by text not null, removed_at bigint
);
-- In the order of seq: a later one counts over an earlier one. withdrawn_at: it ends then, or never was where it had not begun.
create table oncall_override (
  seq bigint generated always as identity, id text primary key, role text not null references oncall_role, kind text not null check (kind in ('add','remove','replace')),
  person text not null, replaces text, swap text, from_at bigint not null, to_at bigint not null,
  made_at bigint not null, made_by text not null, withdrawn_at bigint, withdrawn_by text
);
create index oncall_override_of on oncall_override (role, to_at);
create table oncall_temporary (
  seq bigint generated always as identity, id text primary key, role text not null references oncall_role, layers jsonb not null, from_at bigint not null, to_at bigint not null,
  made_at bigint not null, made_by text not null, withdrawn_at bigint, withdrawn_by text
);
-- Of a person, in every schedule.
create table oncall_absence (
  seq bigint generated always as identity, id text primary key, person text not null, from_at bigint not null, to_at bigint not null,
  made_at bigint not null, made_by text not null, withdrawn_at bigint, withdrawn_by text
);
create index oncall_absence_of on oncall_absence (person, to_at);
-- swap: as core/domain/oncall/schedule/swap.ts has it; asked: whose word is missing.
create table oncall_swap (
  id text primary key, role text not null references oncall_role, state text not null, asked text not null, lapses_at bigint not null, swap jsonb not null
);
create index oncall_swap_open on oncall_swap (asked) where state = 'proposed';
create table oncall_history (
  id bigint generated always as identity primary key, role text, person text, kind text not null, about text,
  before jsonb, after jsonb, changed_at bigint not null, changed_by text not null
);
create index oncall_history_of on oncall_history (role, id);
create index oncall_history_person on oncall_history (person, id) where person is not null;
-- How somebody on call is reached: phone is sealed, phone_lookup its keyed hash. quiet: hours of do-not-disturb; quiet_until: a pause. ladder: rungs by priority.
-- aliases: other spellings of the name, as answered at imports.
create table oncall_person (
  user_id text primary key, name text, lang text not null check (lang in ('en','es')), phone text, phone_lookup text,
  quiet jsonb, quiet_until bigint, ladder jsonb, emails text[] not null default '{}', aliases text[] not null default '{}', changed_at bigint not null, changed_by text not null
);
create index oncall_person_phone on oncall_person (phone_lookup) where phone_lookup is not null;
-- What fills a layer from outside. url is sealed (it may be secret); shifts: what is in force of it, with the source's own names; pending: a reading that waits for a person's word.
create table oncall_source (
  id text primary key, role text not null references oncall_role, layer text not null, kind text not null check (kind in ('url','file')), format text not null check (format in ('calendar','csv')),
  url text, host text, every_ms bigint, options jsonb not null default '{}', shifts jsonb not null default '[]', read_hash text, pending jsonb, pending_hash text,
  due_at bigint, read_at bigint, changed_at bigint, failures int not null default 0, problem text,
  added_at bigint not null, added_by text not null, removed_at bigint, removed_by text
);
create unique index oncall_source_layer on oncall_source (role, layer) where removed_at is null;
create index oncall_source_due on oncall_source (due_at) where removed_at is null and due_at is not null;
-- A calendar address to subscribe to, of a role or of a person; the token itself is nowhere.
create table oncall_feed (
  id text primary key, role text references oncall_role, person text, token_hash text not null unique,
  made_at bigint not null, made_by text not null, revoked_at bigint, revoked_by text, fetched_at bigint, check ((role is null) <> (person is null))
);
-- Another value after every change of what schedules are made of: whoever keeps them in memory compares it. Random, so that what was rolled back never returns.
create table oncall_state (one boolean primary key default true check (one), stamp uuid not null);
insert into oncall_state (stamp) values (gen_random_uuid());
create function oncall_touched() returns trigger language plpgsql as $$
begin
  update oncall_state set stamp = gen_random_uuid();
  return null;
end $$;
create trigger oncall_touched after insert or update or delete on oncall_role for each statement execute function oncall_touched();
create trigger oncall_touched after insert or update or delete on oncall_override for each statement execute function oncall_touched();
create trigger oncall_touched after insert or update or delete on oncall_temporary for each statement execute function oncall_touched();
create trigger oncall_touched after insert or update or delete on oncall_absence for each statement execute function oncall_touched();
`,
}
