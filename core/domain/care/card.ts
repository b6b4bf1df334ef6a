import type { Failure } from './notice.ts'

export type CardPerson = {
  kind: 'patient' | 'caregiver'
  name: string | null
  lang: 'en' | 'es'
  last2: string
  consent: boolean
  stopped: boolean
}
export type CardFacts = { code: string; name: string | null; persons: CardPerson[]; closed: boolean }

const languages = { en: 'English', es: 'Spanish' }

const reach = (p: CardPerson): string =>
  p.stopped
    ? 'texts stopped: call instead'
    : p.consent
      ? 'gets a text with a link'
      : 'no consent to texts yet: !consent record'

/** The card that opens a care room and that everybody who joins finds (encrypted, so it may hold names). The patient reads it too. */
export const cardText = (c: CardFacts): string =>
  [
    `🪪 ${c.name ? `${c.name} · ` : ''}${c.code}`,
    ...c.persons.map(
      p =>
        `${p.kind === 'patient' ? 'Patient' : 'Caregiver'}${p.name && p.kind === 'caregiver' ? ` ${p.name}` : ''}: ${languages[p.lang]}, phone …${p.last2}, ${reach(p)}.`,
    ),
    c.closed
      ? 'This conversation is closed.'
      : 'The patient reads this room. Everything is encrypted from your device to theirs; the text message only holds a link.',
    ...(c.closed
      ? []
      : [
          'Marks on your message: 📤 text sent · 📱 on the phone · 👀 link opened · 🔓 identity confirmed · ⚠️ not reached. A read receipt shows when it was read.',
        ]),
    ...(c.closed
      ? []
      : ['To add a colleague, invite them yourself from your app, so that they can read what was written before.']),
  ].join('\n')

/** What a clinician is told who was added by a bot and therefore has no keys to what came before. */
export const noHistoryText = (who: string): string =>
  `${who} was added by Wardroom, which holds no keys to this room, so earlier messages stay unreadable on their devices. A colleague who can read them may remove and invite ${who} again from their own app, which shares the history.`

/** What went wrong and what to do now, for the person who wrote. No clinical words. */
export const failureText = (failure: Failure, code: string): string => {
  const call = `Please call the patient.`
  const texts: Record<Failure, string> = {
    sms_failed: `the text could not be delivered. ${call} When the number has changed: !patient number ${code} <new number>`,
    wrong_number: `the number on file is not a working number. Find the right one, then: !patient number ${code} <new number>`,
    landline: `the number on file is a landline and takes no texts. ${call} When they have a mobile phone: !patient number ${code} <new number>`,
    stopped: `the patient has stopped texts from the clinic, so nothing was sent. ${call} They can start again by answering START.`,
    no_consent: `there is no consent to text messages, so nothing was sent. Ask the patient, then: !consent record ${code} care verbal`,
    no_texts: `the patient does not want text messages, so none was sent. ${call}`,
    closed: `the patient is closed, so nothing was sent and the page does not open. If care goes on, enrol them again: !patient add`,
    room_failed: `the care room could not be made completely, so nothing was sent. Enrol the patient again: !patient add`,
    removed: `this person was taken out of the room, so nothing was sent to them. !patient status ${code} shows who takes part.`,
    locked: `the date of birth was entered wrong three times and the link is locked. ${call} Check who has the phone, then: !patient unlock ${code}`,
    undecryptable: `the patient's page could not open your message. Please send it again.`,
    not_me: `somebody answered that the text was not meant for them. Check the number before you send anything else: !patient number ${code} <number>`,
    not_opened: `the message was not opened in time, and reminders did not help. ${call}`,
    provider_down: `the SMS service has not taken the text for ten minutes or more. It is tried again for a day and goes out by itself; when it cannot wait: ${call.toLowerCase()}`,
  }
  return `⚠️ ${code}: ${texts[failure]}`
}
