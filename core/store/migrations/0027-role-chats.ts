import type { Migration } from './migration.ts'

export const roleChats: Migration = {
  name: '0027-role-chats',
  up: `
-- A direct chat that somebody (peer) has with a role's user. page_id: the page that its messages made or joined last.
create table role_chat (
  room_id text primary key, role text not null references oncall_role, user_id text not null, peer text not null,
  state text not null check (state in ('open','left')), page_id text references page on delete set null,
  opened_at bigint not null, left_at bigint
);
create index role_chat_page on role_chat (page_id) where page_id is not null;
-- Whom the role brought into the chat because they took a page: what they write there pages nobody.
create table role_chat_guest (
  room_id text not null references role_chat on delete cascade, person text not null, invited_at bigint not null, primary key (room_id, person)
);
`,
}
