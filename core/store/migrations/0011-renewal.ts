import type { Migration } from './migration.ts'

export const renewal: Migration = {
  name: '0011-renewal',
  up: `
-- The replacement of a ghost's dehydrated device. look_at: when its waiting events are counted next. device_id: the live device of a replacement that is
-- under way or was killed; bearer_hash: what its process shows at the bridge's door; saved: that device's own keys, encrypted under the ghost's K.
create table renewal (
  person_id text primary key references person, look_at bigint not null, waiting int, renewed_at bigint,
  device_id text, replaces text, bearer_hash text, begun_at bigint, saved bytea
);
create index renewal_under_way on renewal (begun_at) where device_id is not null;
`,
}
