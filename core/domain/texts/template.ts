/** The only words that a template may fill in; nothing else of a patient can reach an SMS (row 54). */
export const placeholders = ['clinic', 'link', 'phone', 'hours', 'minutes', 'code', 'choices'] as const
export type Placeholder = (typeof placeholders)[number]
export type TemplateVars = Partial<Record<Placeholder, string | number>>
export type TemplateLang = 'en' | 'es'

export const templateNames = [
  'notice',
  'reminder',
  'new-link',
  'locked',
  'inbound-received',
  'which-patient',
  'caregiver-welcome',
  'consent-confirmed',
  'sms-code',
  'help',
  'stopped',
  'started',
  'unknown-sender',
  'former-patient',
] as const
export type TemplateName = (typeof templateNames)[number]
export const isTemplateName = (s: string): s is TemplateName => (templateNames as readonly string[]).includes(s)

/** What a template is for, what it must fill in, what else it may, and whether it must say how to stop. */
export type TemplateRule = {
  purpose: string
  must: readonly Placeholder[]
  may: readonly Placeholder[]
  stopHint: boolean
}

const rule = (purpose: string, must: Placeholder[], may: Placeholder[] = [], stopHint = true): TemplateRule => ({
  purpose,
  must: ['clinic', ...must],
  may,
  stopHint,
})

export const templateRules: Record<TemplateName, TemplateRule> = {
  notice: rule('a message waits', ['link', 'phone'], ['hours']),
  reminder: rule('a message still waits', ['link', 'phone'], ['hours']),
  'new-link': rule('the patient asked for a new link', ['link', 'phone'], ['hours']),
  locked: rule('too many wrong tries; the page is locked', ['phone'], []),
  'inbound-received': rule('the patient texted back; how to write privately', ['link', 'phone'], ['hours']),
  'which-patient': rule('one number, several patients: whom is it about', ['choices', 'phone'], []),
  'caregiver-welcome': rule('a caregiver was added', ['phone'], ['link', 'hours']),
  'consent-confirmed': rule('agreed to be texted', ['phone'], ['link', 'hours']),
  'sms-code': rule('the code for a new device', ['code', 'minutes'], ['phone'], false),
  help: rule('answer to HELP', ['phone'], []),
  stopped: rule('the one confirmation of STOP', ['phone'], [], false),
  started: rule('confirmation of START', ['phone'], []),
  'unknown-sender': rule('answer to a number that we do not know', ['phone'], [], false),
  'former-patient': rule('answer to somebody whose care here has ended', ['phone'], [], false),
}

/** Every `{word}` in a body, in order; an unbalanced brace shows as `{`. */
export const placeholdersIn = (body: string): string[] => {
  const found = Array.from(body.matchAll(/\{([^{}]*)\}/g), m => m[1] ?? '')
  return /[{}]/.test(body.replace(/\{[^{}]*\}/g, '')) ? [...found, '{'] : found
}

/** Fills a body in. @throws when a value is missing: a text with a hole never goes out. */
export const renderTemplate = (body: string, vars: TemplateVars): string =>
  body.replace(/\{([^{}]*)\}/g, (_, word: string) => {
    const value = Object.hasOwn(vars, word) ? vars[word as Placeholder] : undefined
    if (value === undefined || value === '') throw new Error(`the template needs {${word}} and was given none`)
    return String(value)
  })
