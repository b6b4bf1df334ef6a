import { countSegments, fitSegments } from './sms-segments.ts'
import {
  type Placeholder,
  placeholders,
  placeholdersIn,
  renderTemplate,
  type TemplateName,
  type TemplateVars,
  templateRules,
} from './template.ts'
import { diagnosisWords, drugEndings, drugWords, givenNames, notDrugs, specialtyWords } from './template-words.ts'

const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '')

const matcher = (list: readonly string[]) => {
  const whole = new Set(list.filter(w => !w.endsWith('*')))
  const starts = list.filter(w => w.endsWith('*')).map(w => w.slice(0, -1))
  return (word: string) => whole.has(word) || starts.some(s => word.startsWith(s))
}
const isSpecialty = matcher(specialtyWords)
const isDiagnosis = matcher(diagnosisWords)
const isDrugWord = matcher(drugWords)
const isDrug = (word: string) =>
  isDrugWord(word) || (word.length >= 7 && !notDrugs.has(word) && drugEndings.some(e => word.endsWith(e)))

const quote = (words: readonly string[]) => [...new Set(words)].map(w => `"${w}"`).join(', ')

/** Words about health in any text: for templates, the clinic's public name, room names and topics (rows 54, 83). */
export const healthWords = (text: string): { specialty: string[]; diagnosis: string[]; drug: string[] } => {
  const words = plain(text)
    .replace(/\bx[\s-]rays?\b/gi, 'xray')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
  return { specialty: words.filter(isSpecialty), diagnosis: words.filter(isDiagnosis), drug: words.filter(isDrug) }
}

const anyCase = (words: string) =>
  `(?<!\\p{L})(?:${words
    .split(' ')
    .map(w => `[${w.charAt(0).toUpperCase()}${w.charAt(0)}]${w.slice(1)}`)
    .join('|')})`
const upper = "\\.?,?\\s+\\p{Lu}[\\p{L}'’-]*"
const titles = new RegExp(
  `${anyCase('dr dra doctor doctora mr mrs ms miss mx prof nurse enfermera sr sra srta don dona')}${upper}`,
  'u',
)
const greetings = new RegExp(`${anyCase('dear hi hello hola estimado estimada querido querida')}${upper}`, 'u')
const pair = /(?<![\p{L}{])\p{Lu}\p{Ll}+(?:['’-]\p{Lu}?\p{Ll}+)?\s+\p{Lu}\p{Ll}+/u

/** Names of people. Two capitalised words in a row count: a clinic's own name comes from {clinic}. */
const namesIn = (text: string): string | undefined => {
  const hit = titles.exec(plain(text)) ?? greetings.exec(plain(text)) ?? pair.exec(plain(text))
  if (hit) return hit[0].trim()
  return plain(text)
    .split(/[^\p{L}]+/u)
    .find(w => /^\p{Lu}\p{Ll}/u.test(w) && givenNames.has(w.toLowerCase()))
}

const months =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre'
const dates = [
  /\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b/,
  /\b\d{1,2}\/\d{1,2}\b/,
  new RegExp(`\\b(?:${months})\\.?\\s+\\d{1,2}(?:st|nd|rd|th)?\\b`, 'i'),
  new RegExp(`\\b\\d{1,2}(?:st|nd|rd|th)?\\s+(?:de\\s+)?(?:${months})\\b`, 'i'),
  /\b(?:19|20)\d{2}\b/,
]
const birth = /\b(?:dob|d\.o\.b|born|birth\s?da(?:y|te)|date of birth|nacid[oa]|fecha de nacimiento|f\.?d\.?n)\b/i
const record =
  /\b(?:mrn|nhc|medical record|record (?:number|no)|chart (?:number|no)|case (?:number|no)|historia clinica|(?:numero de )?expediente|account (?:number|no)|policy (?:number|no)|member id|patient id)\b|#\s?\d+/i
const social = /\b\d{3}[- ]\d{2}[- ]\d{4}\b|\bssn\b|\bsocial security\b|\bseguro social\b/i
const address =
  /https?:\/\/|\bwww\.|\b[\w-]+\.(?:com|org|net|info|io|health|clinic|care|app|us|es|example)\b|\b(?:bit\.ly|t\.co)\b/i

/** Whether the words before and after the link keep it from being previewed (iOS draws a preview of a link that is first or last). */
const linkIsAmid = (body: string): boolean => {
  const at = body.indexOf('{link}')
  const words = (part: string) => /\p{L}{2,}/u.test(part.replace(/\{[^}]*\}/g, ''))
  return at < 0 || (words(body.slice(0, at)) && words(body.slice(at + 6)))
}

const stopHints = /\b(?:STOP|ALTO|BAJA|PARAR)\b/

/** Values as long as they get, for counting segments; the caller adds the clinic's real name, number and link. */
export const longestVars: TemplateVars = {
  hours: 168,
  minutes: 10,
  code: '000000',
  choices: '1 = K7M-4QP, 2 = B2C-9XZ',
}

/**
 * What is wrong with a template, each a sentence for its author; empty when it may be approved. Blocks names, birth dates, record and social security numbers,
 * specialty, diagnosis and drug words, addresses other than one {link}, and texts of more than two segments (rows 54, 81, 83).
 * `sample` fills the placeholders with the clinic's own values.
 */
export const lintTemplate = (name: TemplateName, body: string, sample: TemplateVars): string[] => {
  const rule = templateRules[name]
  const found: string[] = []
  const say = (wrong: unknown, sentence: string) => {
    if (wrong) found.push(sentence)
  }
  const used = placeholdersIn(body)
  const known = (p: string): p is Placeholder => (placeholders as readonly string[]).includes(p)
  const allowed = [...rule.must, ...rule.may]
  for (const p of new Set(used)) {
    if (p === '{') say(true, 'A brace has no partner; placeholders are written like {clinic}.')
    else if (!known(p)) say(true, `{${p}} is not known; these are: ${placeholders.map(k => `{${k}}`).join(' ')}.`)
    else
      say(!allowed.includes(p), `{${p}} is not for this template; it may use ${allowed.map(k => `{${k}}`).join(' ')}.`)
  }
  for (const p of rule.must) say(!used.includes(p), `{${p}} is missing.`)
  say(!body.startsWith('{clinic}'), 'It must begin with {clinic}, so that the reader sees at once who writes.')
  say(used.filter(p => p === 'link').length > 1, 'It has more than one link.')
  say(address.test(body), 'It has an address of its own; only {link} may take the reader to a page.')
  say(!linkIsAmid(body), 'The link must stand amid words: telephones show a preview of a link that is first or last.')
  say(rule.stopHint && !stopHints.test(body), 'It must say how to stop, for instance "Reply STOP to stop texts."')
  const text = body.replace(/\{[^{}]*\}/g, ' {} ')
  const person = namesIn(text)
  say(person, `"${person}" looks like a person's name; a text names nobody but the clinic.`)
  say(birth.test(plain(text)), 'It speaks of a date of birth.')
  say(
    dates.some(d => d.test(plain(text))),
    'It has a date; dates belong on the secure page.',
  )
  say(social.test(plain(text)), 'It has a social security number or speaks of one.')
  say(record.test(plain(text)), 'It has a record number or speaks of one.')
  say(/\d(?:[\s().-]?\d){4,}/.test(text), 'It has a long number; a telephone number comes from {phone} or {code}.')
  const health = healthWords(text)
  say(health.specialty.length, `It names a specialty or a service: ${quote(health.specialty)}.`)
  say(health.diagnosis.length, `It names a condition, a test or a symptom: ${quote(health.diagnosis)}.`)
  say(health.drug.length, `It names a medicine: ${quote(health.drug)}.`)
  const vars: TemplateVars = { ...longestVars, ...sample }
  if (used.every(p => known(p) && vars[p] !== undefined)) {
    const { segments, encoding, units } = countSegments(fitSegments(renderTemplate(body, vars)))
    const why = encoding === 'ucs-2' ? ', because a letter in it is not in the SMS alphabet' : ''
    say(segments > 2, `It takes ${segments} segments (${units} characters${why}); two are the most.`)
  }
  return found
}
