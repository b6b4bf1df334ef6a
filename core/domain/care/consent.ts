/** What a person may agree to, each on its own (rows 65, 75, 62). */
export const consentScopes = ['care', 'reminders', 'billing', 'unencrypted_logistics'] as const
export type ConsentScope = (typeof consentScopes)[number]

export const consentMethods = ['written', 'verbal', 'page'] as const
export type ConsentMethod = (typeof consentMethods)[number]

export const isConsentScope = (s: string): s is ConsentScope => (consentScopes as readonly string[]).includes(s)
export const isConsentMethod = (s: string): s is ConsentMethod => (consentMethods as readonly string[]).includes(s)

export type ConsentText = {
  scope: ConsentScope
  version: number
  title: Record<'en' | 'es', string>
  text: Record<'en' | 'es', string>
}

/**
 * The words that a person agrees to, the newest version last; a released version is never edited, because the record keeps its hash.
 * Each says the risk and what the person must protect (row 123).
 */
export const consentTexts: readonly ConsentText[] = [
  {
    scope: 'care',
    version: 1,
    title: { en: 'Messages with your care team', es: 'Mensajes con su equipo médico' },
    text: {
      en: 'The clinic may text you when there is a message for you. The text has a link and never says anything about your health. You read and answer on a private page after you confirm who you are. Ordinary texts are not private: other people who use your phone, and your phone company, can see that the clinic texted you. Please protect your phone with a code, do not forward the link, and tell the clinic when your number changes. Do not use messages in an emergency. You can stop at any time: answer STOP, or change it here.',
      es: 'La clínica puede enviarle un mensaje de texto cuando haya un mensaje para usted. El texto tiene un enlace y nunca dice nada sobre su salud. Usted lee y contesta en una página privada después de confirmar quién es. Los mensajes de texto comunes no son privados: otras personas que usan su teléfono, y su compañía telefónica, pueden ver que la clínica le escribió. Proteja su teléfono con un código, no reenvíe el enlace y avise a la clínica si cambia su número. No use los mensajes en una emergencia. Puede dejar de recibirlos en cualquier momento: conteste ALTO o cámbielo aquí.',
    },
  },
  {
    scope: 'reminders',
    version: 1,
    title: { en: 'Appointment reminders', es: 'Recordatorios de citas' },
    text: {
      en: 'The clinic may text you to remind you of an appointment. The text has a link to the details and does not say which doctor or why. You can stop at any time.',
      es: 'La clínica puede enviarle un mensaje de texto para recordarle una cita. El texto tiene un enlace a los detalles y no dice con qué médico ni por qué. Puede dejar de recibirlos en cualquier momento.',
    },
  },
  {
    scope: 'billing',
    version: 1,
    title: { en: 'Billing notices', es: 'Avisos de pago' },
    text: {
      en: 'The clinic may text you when there is a bill. The text has a link and shows no amount. You can stop at any time.',
      es: 'La clínica puede enviarle un mensaje de texto cuando haya una factura. El texto tiene un enlace y no muestra cantidades. Puede dejar de recibirlos en cualquier momento.',
    },
  },
  {
    scope: 'unencrypted_logistics',
    version: 1,
    title: { en: 'Plain texts about time and place', es: 'Mensajes simples sobre hora y lugar' },
    text: {
      en: 'The clinic may put the time and the place of an appointment in an ordinary text, without a link. Ordinary texts are not encrypted: your phone company and anyone who sees your phone can read them. They never say anything about your health. You can stop at any time.',
      es: 'La clínica puede poner la hora y el lugar de una cita en un mensaje de texto común, sin enlace. Los mensajes de texto comunes no están cifrados: su compañía telefónica y cualquiera que vea su teléfono pueden leerlos. Nunca dicen nada sobre su salud. Puede dejar de recibirlos en cualquier momento.',
    },
  },
]

/** The text now in force for a scope. */
export const currentText = (scope: ConsentScope, texts: readonly ConsentText[] = consentTexts): ConsentText => {
  const found = texts.filter(t => t.scope === scope).sort((a, b) => b.version - a.version)[0]
  if (!found) throw new Error(`no consent text for ${scope}`)
  return found
}

/** The exact words whose hash a consent record keeps: both languages, title and text. */
export const canonicalText = (t: ConsentText): string =>
  [t.scope, String(t.version), t.title.en, t.text.en, t.title.es, t.text.es].join('\n')
