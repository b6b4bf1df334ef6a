import { listOf, oneOf, setting, where, whole } from '../setting.ts'
import { page } from './affects.ts'

const linkFactors = ['birth_date', 'sms_code', 'pin'] as const

/** Links in texts, and the sessions on the patient page. */
export const linkSettings = {
  'link.life_hours': setting({
    kind: whole(1, 168),
    unit: 'hours',
    default: 72,
    sensitive: true,
    help: 'How long a link in a text works.',
    affects: 'links made from now on; earlier ones keep their end',
  }),
  'link.factors': setting({
    kind: where(
      listOf(oneOf(linkFactors), { min: 1, max: 3 }),
      v => v.includes('birth_date'),
      'birth_date is always asked',
    ),
    default: ['birth_date'] as (typeof linkFactors)[number][],
    sensitive: true,
    help: 'What a patient proves before the conversation opens: birth_date, sms_code (new device), pin (set by the desk).',
    affects: 'every link from now on, also those already sent',
  }),
  'session.idle_minutes': setting({
    kind: whole(5, 60),
    unit: 'minutes',
    default: 15,
    help: 'After how long without a touch the page closes.',
    affects: page,
  }),
  'session.reauth_minutes': setting({
    kind: whole(10, 480),
    unit: 'minutes',
    default: 60,
    help: 'After how long the page asks again who it is.',
    affects: page,
  }),
} satisfies Record<`link.${string}` | `session.${string}`, { kind: unknown }>
