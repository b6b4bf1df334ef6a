import type { Migration } from './migration.ts'

export const adminFollow: Migration = {
  name: '0028-admin-follow',
  up: `
-- When it was last written into the log that a browser follows a view which asks again by itself.
create table admin_follow (session_id text not null references admin_session on delete cascade, view text not null, noted_at bigint not null, primary key (session_id, view));
create index page_made on page (created_at);
`,
}
