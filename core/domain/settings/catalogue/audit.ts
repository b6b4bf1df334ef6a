import { listOf, matching, oneOf, setting, whole, yesNo } from '../setting.ts'

/** `https://host name+id+key`: an address and a C2SP verifier key. */
const isWitness = (text: string): boolean => {
  const [url = '', vkey = '', more] = text.split(/\s+/)
  const address = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  return address && more === undefined && /^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(vkey)
}

/** The audit log: its digest, how long it is kept, and where its checkpoints go. */
export const auditSettings = {
  'audit.digest': setting({
    kind: yesNo,
    default: true,
    help: 'Whether the compliance room gets a weekly digest of the audit log.',
    affects: 'the compliance room',
  }),
  'audit.digest_day': setting({
    kind: oneOf(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']),
    default: 'mon' as const,
    help: 'The day on which the digest comes; it is about the seven days before that day.',
    affects: 'the next digest',
  }),
  'audit.digest_hour': setting({
    kind: whole(0, 23),
    unit: "o'clock",
    default: 7,
    help: "The hour of that day, by the clinic's clock, at which the digest comes.",
    affects: 'the next digest',
  }),
  'audit.keep_years': setting({
    kind: whole(6, 100),
    unit: 'years',
    default: 6,
    sensitive: true,
    help: 'How long an entry of the audit log is kept.',
    affects: 'entries that are older, from the next night on; what was signed stays provable',
  }),
  'audit.pin_room': setting({
    kind: matching(
      'compliance, none, or the id of an encrypted room that hospitals share',
      'compliance',
      t => t === 'compliance' || t === 'none' || /^![^\s:]{1,200}(:[a-z0-9.:[\]-]{1,200})?$/i.test(t),
    ),
    default: 'compliance',
    sensitive: true,
    help: "Where checkpoints of the audit log are posted. For a room that hospitals share: set it at each first, then invite each hospital's @wardroom.",
    affects: 'the next checkpoints',
  }),
  'audit.pin_minutes': setting({
    kind: whole(1, 1440),
    unit: 'minutes',
    default: 60,
    help: 'How often a checkpoint is posted to that room and left at the homeserver, while the log grows.',
    affects: 'the next checkpoints',
  }),
  'audit.folder_minutes': setting({
    kind: whole(1, 1440),
    unit: 'minutes',
    default: 10,
    help: 'How often a checkpoint is written to the write-once folder (audit.pinFolder of the configuration), while the log grows.',
    affects: 'the next checkpoints',
  }),
  'audit.witnesses': setting({
    kind: listOf(
      matching(
        'the address of a witness and its verifier key (wardroom witness prints it)',
        'https://witness.example.org witness.example.org+1a2b3c4d+BGFuIGV4YW1wbGUgb2YgdGhpcnR5LXR3byBieXRlcy4u',
        isWitness,
      ),
      { max: 8, separator: '|' },
    ),
    default: [] as string[],
    sensitive: true,
    help: 'Witnesses on other hosts (C2SP tlog-witness), which cosign a checkpoint only when it is consistent with the one before.',
    affects: 'the next checkpoints',
  }),
  'audit.witness_minutes': setting({
    kind: whole(1, 1440),
    unit: 'minutes',
    default: 5,
    help: 'How often witnesses are asked to cosign, while the log grows.',
    affects: 'the next checkpoints',
  }),
} satisfies Record<`audit.${string}`, { kind: unknown }>
