import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { type Refusal, refuse } from './domain/refusal.ts'

export { last2, maskPhone } from './domain/texts/phone-mask.ts'

/** `type` as libphonenumber has it, in lower case: in the US and Canada a mobile number cannot be told from a landline by its digits. */
export type Phone = { e164: string; country: string | null; type: 'mobile' | 'mobile_or_landline' | 'voip' | 'other' }

const types: Record<string, Phone['type']> = {
  MOBILE: 'mobile',
  FIXED_LINE_OR_MOBILE: 'mobile_or_landline',
  VOIP: 'voip',
  PERSONAL_NUMBER: 'other',
}
const cannotText: Record<string, string> = {
  FIXED_LINE: 'That is a landline; it cannot get texts.',
  TOLL_FREE: 'That is a toll-free number; it cannot get texts.',
  PREMIUM_RATE: 'That is a premium-rate number; Wardroom does not text it.',
  SHARED_COST: 'That is a shared-cost number; it cannot get texts.',
  PAGER: 'That is a pager; it cannot get texts.',
  UAN: 'That is a company number; it cannot get texts.',
  VOICEMAIL: 'That is a voicemail number; it cannot get texts.',
}

/** `+1 202 555 0123`: an E.164 number as people read it. */
export const showPhone = (e164: string): string => parsePhoneNumberFromString(e164)?.formatInternational() ?? e164

/** Reads a number as people type it; without `+` it belongs to `defaultCountry` (ISO 3166, e.g. `US`). Refuses what is no number and what cannot get texts (row 61). */
export const parsePhone = (input: string, defaultCountry: string): Phone | Refusal => {
  const country: CountryCode | undefined = isSupportedCountry(defaultCountry) ? defaultCountry : undefined
  const number = input.length <= 40 ? parsePhoneNumberFromString(input, country) : undefined
  if (!number?.isValid())
    return refuse(
      'bad-number',
      'That is not a telephone number; give it with its country, for instance +1 202 555 0123.',
    )
  if (number.ext) return refuse('bad-number', 'A number with an extension cannot get texts.')
  const type = number.getType() ?? ''
  const reason = cannotText[type]
  if (reason) return refuse('cannot-text', reason)
  return { e164: number.number, country: number.country ?? null, type: types[type] ?? 'other' }
}
