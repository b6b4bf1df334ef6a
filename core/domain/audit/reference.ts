import { auditClasses, type CatalogueEntry } from './catalogue/entry.ts'
import { catalogue } from './catalogue/index.ts'
import { auditActions, clearObjectKinds } from './event.ts'

const titles: Record<CatalogueEntry['class'], string> = {
  access: 'Access to patients and to the log',
  administration: 'Administration',
  communication: 'Messages and texts',
  security: 'Security',
  consent: 'Consent',
  system: 'The service itself',
}

/** A template as a reader sees it: `{scope}` becomes *scope*, a part that may be missing stays in brackets. */
const shown = (template: string): string => template.replaceAll('|', '\\|').replace(/\{(\w+)\}/g, '*$1*')

const fhir = ({ fhir: { type, subtype, action, balp } }: CatalogueEntry): string =>
  [`${type.code}${subtype ? ` / ${subtype.code}` : ''}, ${action}`, ...(balp ? [`BALP ${balp}`] : [])].join('; ')

const row = (action: keyof typeof catalogue): string => {
  const entry: CatalogueEntry = catalogue[action]
  const instead = [entry.refused, entry.failed].flatMap(s => (s ? [`; otherwise: ${shown(s)}`] : []))
  return `| \`${action}\` | ${entry.title} | … ${shown(entry.did)}${instead.join('')} | ${fhir(entry)} | ${entry.severity} |`
}

const section = (area: CatalogueEntry['class']): string[] => [
  `## ${titles[area]}`,
  '',
  '| action | title | sentence after the actor | FHIR type / subtype, action | CEF |',
  '|---|---|---|---|---|',
  ...auditActions.filter(action => catalogue[action].class === area).map(row),
  '',
]

/** `docs/audit-events.md`. */
export const auditEventsMarkdown = (): string =>
  [
    '# Audit events',
    '',
    'Written by `wardroom config write` from `core/domain/audit/catalogue/`; a test fails when it is out of date.',
    '',
    'Everything that Wardroom does or refuses writes one of these events in the same database transaction as the effect: no record, no effect. An event says who (a Matrix user with',
    'their device, a patient or caregiver, a service of ours, a peer such as the SMS provider, or somebody unknown), what, to what, with which outcome (`done`, `refused`, `failed`), when, in',
    'which room, about which patient, from which address and browser (the patient page and the admin page), why (a code), and details that are codes, counts and versions.',
    '',
    'In the log, identifiers that could lead to a patient or a conversation are salted commitments (43 characters); `!audit reveal` resolves one, as long as the patient is not erased. In clear are',
    `staff, devices, services, and objects of the kinds ${clearObjectKinds.join(', ')}. Free words never stay in the log: whatever is not a code becomes a commitment.`,
    '',
    'Exports: FHIR R4 `AuditEvent` (what was done and has a RESTful equivalent follows the basic profiles of IHE BALP 1.1.4, with a patient the Patient profile; DICOM codes for the rest; the',
    'action is always a subtype in the system `<public URL>/audit/action`), CEF (the signature id is the action; refusals are two steps graver, failures one), OCSF 1.3, JSON. In the tables,',
    '*italics* are filled in, and a part in [brackets] is left out where its value is not known.',
    '',
    ...auditClasses.flatMap(section),
    '## From the homeserver',
    '',
    'For every room, from metadata alone: messages sent, edited and removed, reactions, public read receipts, people who join, leave, are invited, removed or banned, changes of power levels,',
    'join rules, history visibility and server lists, rooms that somebody else than Wardroom made, and changes of devices and cross-signing identities (which device came or went is asked of',
    'the homeserver within a second or two). They are written in the transaction in which the homeserver’s own is stored, once, however often it is repeated. A `sent` in the detail is the',
    'time that the homeserver gave, where it differs by more than five seconds from the time of the entry. Marks (reactions) that our own services put on messages are left out: what they show',
    'has entries of its own.',
    '',
    '## Refused requests',
    '',
    'A stranger must not be able to fill the log. Of one network (an IPv4 address, an IPv6 /64), route and status the first refusal in a minute is an event of its own; the others of that',
    'minute are one event with their `count`. Beyond 300 such events a minute in one process, strangers are counted together and without an address. When a process is killed, what it had',
    'counted in that minute is lost, never the first refusal. Refusals of people who are known (a session that must prove again who it is, a command without the role) are never counted together with others.',
    '',
    '## What cannot be known',
    '',
    '- **Reading inside a Matrix client.** Messages are decrypted on the reader’s device, where no server of ours sees it. What shows is a read receipt, which a client may send privately',
    '  or not at all, and which says that a message was shown, not that it was read. On the patient page every load of the conversation, page of history and file is recorded before it is sent.',
    '- **What was written.** Events hold no content. Who wrote when, in which room, from which device, is known; what was said is not, to Wardroom either, unless a member forwards it to the bot.',
    '- **Search, copies, screenshots, photographs of a screen, printing** on a device, and reading a message in a notification or an offline cache.',
    '- **Whose eyes** were before a device: a device or a browser is known, the person only by what they proved (birth date, PIN, code, role bound to an identity).',
    '- **Devices without encryption keys**: a sign-in that never uploads keys cannot read an encrypted room, and is not listed by the homeserver to us. Of somebody who is in no room at all, the',
    '  homeserver reports no change of devices; the next one that it reports is compared with what was seen last.',
    '- **The address of a Matrix client**: it speaks to the homeserver, whose own log has it. FHIR exports then name the public URL.',
    '- **Another hospital’s side**: for rooms that are shared with other homeservers we see the events, and of their users’ devices what their server says.',
    '- **The homeserver’s administrators**: what is done in the homeserver’s database, or by its administration interface, shows only by its effects (a device, a membership, a missing event).',
    '- **A text on its way**: what the carrier and the telephone say about delivery is recorded; who picked the telephone up is not known before they prove it.',
    '',
  ].join('\n')
