import type { Migration } from './migration.ts'

export const chatAway: Migration = {
  name: '0029-chat-away',
  up: `
-- Times when the homeserver did not answer: pages go by telephone at once meanwhile. until_at is null while it is away.
create table chat_away (id bigserial primary key, from_at bigint not null, until_at bigint);
create unique index chat_away_now on chat_away ((true)) where until_at is null;
-- A question to a page's sender in their own chat, which a reaction answers.
create table page_question (event_id text primary key, page_id text not null references page (id) on delete cascade, person text not null, room_id text not null);
create index page_contact_cards on page_contact (at) where way = 'matrix' and state = 'queued' and error is null;
`,
}
