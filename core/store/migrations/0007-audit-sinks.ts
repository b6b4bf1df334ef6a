import type { Migration } from './migration.ts'

export const auditSinks: Migration = {
  name: '0007-audit-sinks',
  up: `
-- Where the log is exported to. next_idx: the first entry that the receiver has not settled yet; tries and due_at: the present back-off.
-- options: JSON, sealed, because it may hold tokens; shown: the same as a person may read it. refused_row: entries given up one after the other.
create table audit_sink (
  name text primary key, type text not null, target text not null, options text not null, shown text not null, identify boolean not null default false,
  state text not null default 'on' check (state in ('on','paused')), next_idx bigint not null, tries int not null default 0, due_at bigint not null default 0,
  refused_row int not null default 0, last_error text, last_error_at bigint, last_ok_at bigint,
  created_at bigint not null, created_by text not null, changed_at bigint not null
);
-- Entries that a receiver refuses for good: kept until they are sent again or the sink is removed. again: wanted by a person.
create table audit_sink_dead (
  sink text not null references audit_sink on delete cascade, idx bigint not null, code text not null, at bigint not null, again boolean not null default false,
  primary key (sink, idx)
);
`,
}
