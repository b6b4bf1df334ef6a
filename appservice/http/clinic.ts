import type { Instant } from '../../core/domain/clock.ts'
import { isOpen } from '../../core/domain/settings/open-hours.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import type { Clinic, Text } from '../../web/contract.ts'
import { logoPath } from './page-files.ts'

const text = (settings: Settings, key: 'clinic.emergency' | 'clinic.answers'): Text => ({
  en: settings[`${key}.en`],
  es: settings[`${key}.es`],
})

/** What anybody may know of the clinic. */
export const clinicOf = (
  settings: Settings,
  publicUrl: string,
  logoFile: string | undefined,
  now: Instant,
): Clinic => ({
  name: settings['clinic.name'],
  phone: settings['clinic.phone'],
  logo: logoFile ? logoPath(logoFile) : null,
  colour: settings['clinic.colour'],
  emergency: text(settings, 'clinic.emergency'),
  answers: text(settings, 'clinic.answers'),
  afterHours: !isOpen(settings['clinic.hours'], settings['clinic.time_zone'], now),
  host: new URL(publicUrl).host,
})

/** Quick replies in both languages, pair by pair. */
export const quickReplies = (settings: Settings): Text[] => {
  const es = settings['clinic.quick_replies.es']
  return settings['clinic.quick_replies.en'].map((en, i) => ({ en, es: es[i] ?? en }))
}

/** "Check this text": is this the host that our texts link to? Takes what people copy: a host, an address, with or without https. */
export const isOurHost = (input: string, publicUrl: string): boolean => {
  const typed = input.trim().toLowerCase()
  const ours = new URL(publicUrl)
  const address = /^[a-z][a-z0-9+.-]*:\/\//.test(typed) ? typed : `${ours.protocol}//${typed}`
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  // `https://chat.clinic.example@evil.example/` shows our name and leads elsewhere; the URL parser takes the real host.
  return url.host === ours.host && url.protocol === ours.protocol && url.username === '' && url.password === ''
}
