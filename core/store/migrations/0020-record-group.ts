import type { Migration } from './migration.ts'

export const recordGroup: Migration = {
  name: '0020-record-group',
  up: `
-- Who, where, labelled how: which policies fit a record depends on nothing else, so a look at everything asks for each group once and joins by a small number.
create table record_group (
  id int generated always as identity primary key, room_id text not null, class text not null, sender text not null, labels text[] not null,
  unique (room_id, sender, class, labels)
);
alter table record add column group_id int;
insert into record_group (room_id, class, sender, labels) select distinct room_id, class, sender, labels from record;
update record r set group_id = g.id from record_group g
where g.room_id = r.room_id and g.class = r.class and g.sender = r.sender and g.labels = r.labels;
alter table record alter column group_id set not null;
-- Filled here, so that no way of writing a record can forget it or leave a stale one.
create function record_group_of() returns trigger language plpgsql as $$
begin
  select id into new.group_id from record_group
  where room_id = new.room_id and class = new.class and sender = new.sender and labels = new.labels;
  if not found then
    insert into record_group (room_id, class, sender, labels) values (new.room_id, new.class, new.sender, new.labels)
    on conflict (room_id, sender, class, labels) do update set room_id = excluded.room_id returning id into new.group_id;
  end if;
  return new;
end $$;
create trigger record_group_of before insert or update of room_id, class, sender, labels, group_id on record
for each row execute function record_group_of();
`,
}
