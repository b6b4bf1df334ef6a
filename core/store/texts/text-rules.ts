import type { ConsentScope } from '../../domain/care/consent.ts'
import type { Instant } from '../../domain/clock.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Settings } from '../../domain/settings/settings.ts'
import { zoneOfNumber } from '../../domain/texts/phone-zones.ts'
import { afterQuiet } from '../../domain/texts/quiet-hours.ts'
import type { TemplateName } from '../../domain/texts/template.ts'
import { hasConsent } from '../patients/consents.ts'
import { type Person, patientById } from '../patients/patients.ts'
import type { Tx } from '../tx.ts'
import { numberBlock } from './stopped-numbers.ts'

/** What a text is about, and so which consent it needs; `system` answers what the person has just asked for (a code, HELP) and needs none. */
export type TextClass = ConsentScope | 'system'

/** When a text may go out (row 66's hours of quiet): now, or when the recipient's night is over. */
export const dueAt = (
  settings: Settings,
  phone: string,
  text: { class: TextClass; urgent: boolean },
  now: Instant,
): Instant =>
  text.class === 'system' || text.urgent
    ? now
    : afterQuiet(now, {
        from: settings['sms.quiet_from'],
        to: settings['sms.quiet_to'],
        timeZone: zoneOfNumber(phone) ?? settings['clinic.time_zone'],
      })

const blockSentences = {
  stopped: ['stopped', 'This number has stopped texts.'],
  landline: ['landline', 'This number cannot get texts: the carrier says it is a landline.'],
  invalid_number: ['invalid-number', 'This number cannot get texts: the carrier does not know it.'],
} as const

/** Why a person must not be texted now, or null (rows 60, 66, 67). Asked when a text is queued and again right before it is sent. */
export const whyNotText = async (
  tx: Tx,
  person: Person,
  wanted: TextClass,
  settings: Settings,
): Promise<Refusal | null> => {
  if (person.removedAt !== null) return refuse('removed', 'This person takes part no more.')
  const patient = await patientById(tx.sql, person.patientId)
  if (patient?.state === 'closed') return refuse('closed', 'This patient is closed.')
  if (patient?.state === 'failed') return refuse('failed', 'The care room of this patient could not be made.')
  const block = await numberBlock(tx.sql, person.phoneLookup, tx.now)
  if (block) {
    const [code, sentence] = blockSentences[block]
    return refuse(code, sentence)
  }
  if (wanted === 'system') return null
  if (person.preference !== 'sms')
    return refuse('preference', `This person does not want texts (preference: ${person.preference}).`)
  for (const scope of new Set<ConsentScope>([...settings['consent.required'], wanted]))
    if (!(await hasConsent(tx.sql, person.id, scope)))
      return refuse('no-consent', `There is no consent for ${scope.replace('_', ' ')}.`)
  return null
}

/** What answers the telephone's own word about texts; only this goes out to a number that has stopped them. */
const aboutTexts: readonly TemplateName[] = ['stopped', 'started', 'help']

/**
 * Why a text that was queued must not be handed over now, or null: STOP, a new number, a withdrawn consent or a closing may have come since (row 66). Texts
 * that answer a person are asked about their own number, which may belong to nobody whom we know.
 */
export const whyNotSend = async (
  tx: Tx,
  text: { class: TextClass; template: TemplateName; phoneLookup: string },
  person: Person | null,
  settings: Settings,
): Promise<Refusal | null> => {
  if (text.class === 'system' && aboutTexts.includes(text.template)) return null
  if (person && person.phoneLookup !== text.phoneLookup)
    return refuse('number-changed', 'This person has another number now.')
  if (person && text.class !== 'system') return whyNotText(tx, person, text.class, settings)
  return (await numberBlock(tx.sql, text.phoneLookup, tx.now)) === 'stopped'
    ? refuse('stopped', blockSentences.stopped[1])
    : null
}
