import type { Migration } from './migration.ts'

export const otherServers: Migration = {
  name: '0018-other-servers',
  up: `
-- Which other homeservers were in the room of an event that went, and how far the request to remove it is. redaction: the removal that was sent
-- (m.room.redaction); null: none was. since: when the state began; look_at: when that server is asked again whether it has it.
create table record_server (
  event_id text not null references record on delete cascade, server text not null, redaction text, asked_at bigint not null,
  state text not null check (state in ('unasked','asked','reached','away')), since bigint not null, look_at bigint not null,
  primary key (event_id, server)
);
create index record_server_open on record_server (look_at) where state in ('asked','away');
insert into record_server (event_id, server, asked_at, state, since, look_at)
  select c.event_id, s.server, c.asked_at, 'unasked', c.asked_at, c.asked_at
  from recall c, unnest(c.servers) as s(server) where c.removed is not true;
alter table recall drop column servers;
`,
}
