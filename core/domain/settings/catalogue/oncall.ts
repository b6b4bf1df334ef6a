import { budgetDefaults } from '../../oncall/admission/budget.ts'
import { readListedCall } from '../../oncall/call-reaction.ts'
import { readValueRule } from '../../oncall/triage/own-rules.ts'
import { listOf, matching, setting, whole, words, yesNo } from '../setting.ts'

/** On call: imports, reactions that page, the interruption budget and triage. */
export const oncallSettings = {
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
} satisfies Record<`oncall.${string}`, { kind: unknown }>
