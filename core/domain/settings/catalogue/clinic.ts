import { refuse } from '../../refusal.ts'
import { type OpenHours, parseOpenHours, showOpenHours } from '../open-hours.ts'
import { type Kind, listOf, matching, setting, words } from '../setting.ts'
import { everyText, page } from './affects.ts'

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

/** The clinic: its name and words for patients, its hours, country and time zone. */
export const clinicSettings = {
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
} satisfies Record<`clinic.${string}`, { kind: unknown }>
