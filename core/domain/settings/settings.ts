import { consentScopes } from '../care/consent.ts'
import { budgetDefaults } from '../oncall/admission/budget.ts'
import { readListedCall } from '../oncall/call-reaction.ts'
import { readValueRule } from '../oncall/triage/own-rules.ts'
import { coverages } from '../records/coverage.ts'
import { recallTells } from '../records/recall.ts'
import { refuse } from '../refusal.ts'
import { type OpenHours, parseOpenHours, showOpenHours } from './open-hours.ts'
import { type Kind, listOf, matching, oneOf, type Setting, setting, where, whole, words, yesNo } from './setting.ts'

const openHours: Kind<OpenHours> = {
  expects: 'days and times such as Mon-Fri 08:00-18:00; Sat 9-12, or always, or never',
  example: '"Mon-Fri 08:00-18:00"',
  parse: text => parseOpenHours(text) ?? refuse('bad-value', 'Expected days and times such as Mon-Fri 08:00-18:00.'),
  revive: json => (typeof json === 'string' ? parseOpenHours(json) : undefined),
  show: showOpenHours,
}

const isTimeZone = (name: string): boolean => {
  try {
    return (
      new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0 && !/^[+-]/.test(name)
    )
  } catch {
    return false
  }
}

const phone = matching(
  'a telephone number in international form',
  '+15555550100',
  t => t === '' || /^\+[1-9][\d ().-]{6,20}$/.test(t),
)
const serverName = matching('a Matrix server name', 'hospital.example', t =>
  /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?$/i.test(t),
)
const webAddress = matching('a web address', 'https://clinic.example/help', t => {
  if (t === '') return true
  const scheme = URL.canParse(t) ? new URL(t).protocol : ''
  return (scheme === 'https:' || scheme === 'http:') && t.length <= 300
})

/** `https://host name+id+key`: an address and a C2SP verifier key. */
const isWitness = (text: string): boolean => {
  const [url = '', vkey = '', more] = text.split(/\s+/)
  const address = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  return address && more === undefined && /^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(vkey)
}

export const linkFactors = ['birth_date', 'sms_code', 'pin'] as const

const page = 'every patient who opens the page from now on'
const everyText = 'every text message from now on'

/** Every setting that `!config` may change (row 41): the one list for help, defaults, reading and previews. */
export const catalogue = {
  'clinic.name': setting({
    kind: words(40, '"Riverside Clinic"'),
    default: 'Your clinic',
    help: 'The public name that patients know; it is the first thing in every text.',
    affects: `${everyText}, and the page`,
  }),
  'clinic.phone': setting({
    kind: phone,
    default: '',
    help: 'The number that patients call; it stands in every text and on every page.',
    affects: `${everyText}, and the page`,
  }),
  'clinic.answers.en': setting({
    kind: words(300, '"Our nurses answer on weekdays from 8 to 6."'),
    default: 'Your care team answers during opening hours.',
    help: 'Who answers and when, in English.',
    affects: page,
  }),
  'clinic.answers.es': setting({
    kind: words(300, '"Nuestras enfermeras responden de lunes a viernes, de 8 a 18."'),
    default: 'Su equipo de atención responde en el horario de la clínica.',
    help: 'Who answers and when, in Spanish.',
    affects: page,
  }),
  'clinic.emergency.en': setting({
    kind: words(300, '"In an emergency call 911."'),
    default: 'In an emergency, call 911. Do not wait for an answer here.',
    help: 'What a patient does in an emergency, in English.',
    affects: page,
  }),
  'clinic.emergency.es': setting({
    kind: words(300, '"En caso de emergencia llame al 911."'),
    default: 'En caso de emergencia, llame al 911. No espere una respuesta aquí.',
    help: 'What a patient does in an emergency, in Spanish.',
    affects: page,
  }),
  'clinic.quick_replies.en': setting({
    kind: listOf(words(40, '"Thank you"'), { max: 5, separator: '|' }),
    default: ['Thank you', 'Please call me', 'I have a question'],
    help: 'Answers that a patient sends with one tap, in English, separated by |.',
    affects: page,
  }),
  'clinic.quick_replies.es': setting({
    kind: listOf(words(40, '"Gracias"'), { max: 5, separator: '|' }),
    default: ['Gracias', 'Llámeme, por favor', 'Tengo una pregunta'],
    help: 'Answers that a patient sends with one tap, in Spanish, in the same order as the English ones.',
    affects: page,
  }),
  'clinic.colour': setting({
    kind: matching('a colour such as #0b5c8a', '#0b5c8a', t => /^#[0-9a-f]{6}$/i.test(t)),
    default: '#0b5c8a',
    help: 'The colour of the patient page.',
    affects: page,
  }),
  'clinic.hours': setting<OpenHours>({
    kind: openHours,
    default: parseOpenHours('Mon-Fri 08:00-18:00') ?? [],
    help: 'When somebody answers; outside these hours the page says so.',
    affects: page,
  }),
  'clinic.country': setting({
    kind: matching('a country by its two capital letters', 'US', t => /^[A-Z]{2}$/.test(t)),
    default: 'US',
    help: 'The country of telephone numbers that are typed without +.',
    affects: 'numbers typed from now on; stored ones stay as they are',
  }),
  'clinic.time_zone': setting({
    kind: matching('an IANA time zone', 'America/New_York', isTimeZone),
    default: 'America/New_York',
    help: "The clinic's time zone, also the one for quiet hours where the patient's is not known.",
    affects: 'opening hours, quiet hours and the times in replies',
  }),
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
  'sms.quiet_from': setting({
    kind: whole(0, 23),
    unit: "o'clock",
    default: 21,
    help: "No routine text from this hour of the recipient's day on, until sms.quiet_to.",
    affects: everyText,
  }),
  'sms.quiet_to': setting({
    kind: whole(0, 23),
    unit: "o'clock",
    default: 8,
    help: "Routine texts go out again from this hour of the recipient's day on.",
    affects: everyText,
  }),
  'sms.reminder_hours': setting({
    kind: listOf(whole(1, 336), { max: 5 }),
    unit: 'hours',
    default: [4, 24],
    help: 'How long after an unopened text each reminder goes out.',
    affects: 'messages that are not opened yet, and new ones',
  }),
  'sms.task_hours': setting({
    kind: whole(1, 336),
    unit: 'hours',
    default: 48,
    help: 'How long a message may stay unopened before the care team is asked to call.',
    affects: 'messages that are not opened yet, and new ones',
  }),
  'sms.provider_answers_stop': setting({
    kind: yesNo,
    default: false,
    help: 'Whether the SMS provider confirms STOP by itself, so that we stay silent.',
    affects: 'every STOP from now on',
  }),
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
  'oncall.import_hosts': setting({
    kind: listOf(
      matching('the name of a host, with its port where it is not the usual one', 'schedules.clinic.example', t =>
        /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?$/i.test(t),
      ),
      { max: 20 },
    ),
    default: [] as string[],
    sensitive: true,
    help: 'Hosts in your own network from which schedules on call may be read, also by plain http. Any other host must be on the internet and is asked by https.',
    affects: 'the next reading of each schedule',
  }),
  'oncall.call_reactions': setting({
    kind: listOf(
      matching(
        'an emoji, the role on call that it pages, and its priority where it is not urgent',
        '"🫀 cardiology"',
        t => Boolean(readListedCall(t)),
      ),
      { max: 30 },
    ),
    default: [] as string[],
    help: 'Reactions of staff on a message in a care room that page a role with a link to the message, such as 🫀 cardiology, 🚨 icu stat. 📟 pages the only role of the patient’s unit, unless it is listed.',
    affects: 'reactions from now on',
  }),
  'oncall.budget': setting({
    kind: whole(1, 500),
    unit: 'pages',
    default: budgetDefaults.perShift,
    help: 'How many pages may interrupt one person in a shift before routine ones wait for its end.',
    affects: 'routine pages from now on',
  }),
  'oncall.digest_minutes': setting({
    kind: whole(0, 240),
    unit: 'minutes',
    default: budgetDefaults.digestMs / 60_000,
    help: 'How far apart the times are at which routine pages go out together; 0: each at once.',
    affects: 'routine pages from now on',
  }),
  'oncall.burst': setting({
    kind: whole(1, 20),
    unit: 'pages',
    default: budgetDefaults.burst,
    help: 'How many urgent pages may interrupt one person within a minute; the next one waits for the end of that minute.',
    affects: 'urgent pages from now on',
  }),
  'oncall.close_hours': setting({
    kind: whole(1, 720),
    unit: 'hours',
    default: 12,
    help: 'After how long a page that somebody took and nobody resolved is closed.',
    affects: 'pages that are taken already, too',
  }),
  'oncall.forget_days': setting({
    kind: whole(1, 3650),
    unit: 'days',
    default: 30,
    help: 'How long the words of a page that is over are kept.',
    affects: 'pages that are over already, too',
  }),
  'oncall.triage_defaults': setting({
    kind: yesNo,
    default: true,
    help: 'Whether the built-in triage rules (words and values that hardly anybody disputes, for adults) count beside your own.',
    affects: 'pages and alarms from now on',
  }),
  'oncall.triage_stat': setting({
    kind: listOf(words(60, '"code white"'), { max: 50, separator: '|' }),
    default: [] as string[],
    help: 'Words that suggest stat, in any case and without accents, separated by |.',
    affects: 'pages and alarms from now on',
  }),
  'oncall.triage_urgent': setting({
    kind: listOf(words(60, '"pump alarm"'), { max: 50, separator: '|' }),
    default: [] as string[],
    help: 'Words that suggest urgent, in any case and without accents, separated by |.',
    affects: 'pages and alarms from now on',
  }),
  'oncall.triage_values': setting({
    kind: listOf(
      matching(
        'a value, a limit with its unit and a priority, such as SpO2 < 88 % stat',
        '"SpO2 < 88 % stat | potassium > 6 mmol/L urgent"',
        t => readValueRule(t) !== undefined,
      ),
      { max: 50, separator: '|' },
    ),
    default: [] as string[],
    help: 'Values of alarms that suggest a priority, separated by |. Other units of the same kind are converted.',
    affects: 'alarms from now on',
  }),
  'help.url': setting({
    kind: webAddress,
    default: 'https://element.io/help',
    help: 'The page that the bot names to a person whose device is not verified.',
    affects: "the bot's replies",
  }),
} satisfies Record<string, { kind: unknown }>

export type SettingKey = keyof typeof catalogue
type ValueOf<S> = S extends Setting<infer T> ? T : never
/** Every setting's value, by key. */
export type Settings = { [K in SettingKey]: ValueOf<(typeof catalogue)[K]> }

export const settingKeys = Object.keys(catalogue) as SettingKey[]
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(catalogue, key)

/** One entry of the catalogue with its value's type hidden: for code that handles any setting. */
export const settingOf = (key: SettingKey): Setting<unknown> => catalogue[key] as unknown as Setting<unknown>

/** The values when nothing was ever changed. */
export const defaultSettings = (): Settings =>
  Object.fromEntries(settingKeys.map(k => [k, catalogue[k].default])) as Settings

/** Values from stored text (`show`'s form); a key that is absent, unknown or no longer usable has its default. */
export const settingsFrom = (stored: Readonly<Record<string, unknown>>): Settings =>
  Object.fromEntries(settingKeys.map(k => [k, settingOf(k).kind.revive(stored[k]) ?? catalogue[k].default])) as Settings
