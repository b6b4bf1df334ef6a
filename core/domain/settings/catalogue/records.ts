import { coverages } from '../../records/coverage.ts'
import { recallTells } from '../../records/recall.ts'
import { oneOf, setting, whole } from '../setting.ts'

/** Records: coverage, recalls and exports. */
export const recordSettings = {
  'records.coverage': setting({
    kind: oneOf(coverages),
    default: 'none' as const,
    sensitive: true,
    help: 'In which rooms of the staff a visible bot keeps records: every room key goes into an escrow that only the compliance officers together can open. Care rooms are never covered.',
    affects:
      'new rooms at once, and within minutes the rooms that there are, as far as their members may invite; each is told',
  }),
  'recall.window_hours': setting({
    kind: whole(1, 720),
    unit: 'hours',
    default: 24,
    help: 'How long after sending a message its sender may recall it; supervisors and compliance officers may at any time.',
    affects: 'recalls from now on',
  }),
  'recall.backup_days': setting({
    kind: whole(0, 3650),
    unit: 'days',
    default: 30,
    help: 'How long backups of the databases are kept; the answer to a recall says until when a message may still be in one.',
    affects: 'the answers to recalls',
  }),
  'export.approved_hours': setting({
    kind: whole(1, 720),
    unit: 'hours',
    default: 72,
    help: 'How long an approved export of records may be run; after that it lapses.',
    affects: 'exports that are approved from now on',
  }),
  'recall.tell': setting({
    kind: oneOf(recallTells),
    default: 'sender' as (typeof recallTells)[number],
    help: 'Who is told, without its content, that somebody recalled a message: its sender where it was somebody else, and as chosen the supervisors of the staff who are known to have read it.',
    affects: 'recalls from now on',
  }),
} satisfies Record<`records.${string}` | `recall.${string}` | `export.${string}`, { kind: unknown }>
