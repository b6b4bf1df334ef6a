import { consentScopes } from '../../care/consent.ts'
import { listOf, matching, oneOf, setting } from '../setting.ts'
import { everyText } from './affects.ts'

const serverName = matching('a Matrix server name', 'hospital.example', t =>
  /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?$/i.test(t),
)

/** Care rooms: their names, the consents that they need, and the hospitals whose people may be in them. */
export const roomSettings = {
  'room.name_policy': setting({
    kind: oneOf(['code', 'initials', 'full']),
    default: 'code' as 'code' | 'initials' | 'full',
    sensitive: true,
    help: "What a care room is called: the patient's code, initials or full name. Room names are not encrypted.",
    affects: 'care rooms made from now on',
  }),
  'consent.required': setting({
    kind: listOf(oneOf(consentScopes), { min: 1, max: 4 }),
    default: ['care'] as (typeof consentScopes)[number][],
    sensitive: true,
    help: 'The consents without which no text is sent.',
    affects: `${everyText}; patients without one of them are not texted`,
  }),
  'federation.allowed': setting({
    kind: listOf(serverName, { max: 100 }),
    default: [] as string[],
    sensitive: true,
    help: 'Matrix servers of other hospitals whose people may be given a role here, and with which the embedded homeserver federates; a homeserver of your own has its own list (federation_domain_whitelist).',
    affects:
      'roles granted from now on, and the embedded homeserver from its next start on; people of a server that is taken off keep their roles until they are revoked',
  }),
} satisfies Record<`room.${string}` | `consent.${string}` | `federation.${string}`, { kind: unknown }>
