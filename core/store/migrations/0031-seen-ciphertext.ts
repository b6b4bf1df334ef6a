import type { Migration } from './migration.ts'

export const seenCiphertext: Migration = {
  name: '0031-seen-ciphertext',
  up: `
-- What was obeyed, by the SHA-256 of its ciphertext: a homeserver can give an old message a new event id.
create table seen_ciphertext (source text not null, hash bytea not null, seen_at bigint not null, primary key (source, hash));
create index seen_ciphertext_old on seen_ciphertext (seen_at);
`,
}
